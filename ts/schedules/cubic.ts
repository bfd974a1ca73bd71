/**
 * From `from` at step 0 to `to` at step `steps`, fast at first and flat at the end:
 *   to + (from - to) (1 - t / steps)^3
 * The sparsity of gradual pruning (Zhu & Gupta, arXiv 1710.01878, equation 1). Constant after the last step.
 */
import type { Schedule } from '../tensor/kinds'
import { expectNumber } from '../tensor/options'

export interface Options {
  readonly from: number
  readonly to: number
  /** The length of the curve in steps, >= 1. */
  readonly steps: number
}

export default ({ from, to, steps }: Options): Schedule => {
  expectNumber('from', from)
  expectNumber('to', to)
  expectNumber('steps', steps, { least: 1, integer: true })
  return (step) => to + (from - to) * (1 - Math.min(step / steps, 1)) ** 3
}
