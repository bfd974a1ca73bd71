/**
 * initial * factor^k after k milestones: 0.1 and x0.1 at epochs 80, 120, 160 in paper A (arXiv 2003.00631). A milestone
 * counts from its own step on.
 */
import type { Schedule } from '../tensor/kinds'
import { expectNumber } from '../tensor/options'

export interface Options {
  readonly initial: number
  readonly factor: number
  /** Steps in growing order. */
  readonly milestones: readonly number[]
}

export default ({ initial, factor, milestones }: Options): Schedule => {
  expectNumber('initial', initial)
  expectNumber('factor', factor)
  milestones.forEach((step, i) =>
    expectNumber(`milestones[${i}]`, step, { least: milestones[i - 1] ?? 0, integer: true }),
  )
  return (step) => initial * factor ** milestones.filter((milestone) => step >= milestone).length
}
