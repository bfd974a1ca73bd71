/** A stream of random numbers in the worker, made by `session.generator(seed)` and advanced by the plans that draw from it. */
import { HandleOwner } from './handle_owner'

/** Made by `session.generator(seed)`. A plan that draws from it advances it; `saveState` keeps where it stands. */
export class Generator extends HandleOwner {
  // Nominal: any other owner of a handle is not a generator.
  declare protected readonly brand: 'generator'
}
