/** A straight line from `from` at step 0 to `to` at step `steps`, constant after it. */
import type { Schedule } from '../tensor/kinds'
import { expectNumber } from '../tensor/options'

export interface Options {
  readonly from: number
  readonly to: number
  /** The length of the line in steps, >= 1. */
  readonly steps: number
}

export default ({ from, to, steps }: Options): Schedule => {
  expectNumber('from', from)
  expectNumber('to', to)
  expectNumber('steps', steps, { least: 1, integer: true })
  return (step) => from + (to - from) * Math.min(step / steps, 1)
}
