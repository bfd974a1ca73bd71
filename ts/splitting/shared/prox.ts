/** The proximal map of a splitting method's penalty: gamma = 1 / beta. */
import type { Penalty, Scalar } from '../../tensor/kinds'
import { expectScalar } from '../../tensor/options'
import type { Tensor } from '../../tensor/tensor'

/** The weight of a quadratic term and the penalty on the split weights. */
export interface ProxOptions {
  /** > 0. */
  readonly beta: Scalar
  readonly penalty: Penalty
}

/** prox of every weight; a bad beta is a RangeError of one sentence. */
export function proxOf({ beta, penalty }: ProxOptions): (w: readonly Tensor[]) => Tensor[] {
  expectScalar('beta', beta, { least: 0, open: true })
  const gamma = typeof beta === 'number' ? 1 / beta : beta.reciprocal()
  return (w) => penalty.proxAll?.(w, gamma) ?? w.map((wi) => penalty.prox(wi, gamma))
}
