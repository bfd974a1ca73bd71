/** A stream of random numbers in the worker, made by `session.generator(seed)` and advanced by the plans that draw from it. */
import { HandleOwner } from './handle_owner'

export class Generator extends HandleOwner {
  // Nominal: any other owner of a handle is not a generator.
  declare protected readonly brand: 'generator'
}
