/** The same value at every step. */
import type { Schedule } from '../tensor/kinds'
import { expectNumber } from '../tensor/options'

export interface Options {
  readonly value: number
}

export default ({ value }: Options): Schedule => {
  expectNumber('value', value)
  return () => value
}
