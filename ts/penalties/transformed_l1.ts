/**
 * Transformed l1: f(w) = lambda * sum over entries of (a + 1) |w_i| / (a + |w_i|).
 * A penalty of RVSM (Dinh & Xin, arXiv 1812.05719); prox after Zhang & Xin, arXiv 1412.5240.
 * Small a acts like l0, large a like l1; unlike l1 it takes next to nothing off large weights.
 */
import type { Penalty, Scalar } from '../tensor/kinds'
import { expectNumber, expectScalar } from '../tensor/options'
import { softThreshold } from './shared/threshold'
import { shrinkTransformedL1, transformedL1 } from './shared/transformed_l1'

export interface Options {
  /** The price of an entry of size 1; no entry costs more than (a + 1) times it. */
  readonly lambda: Scalar
  /** Where the penalty bends, > 0; 1 when absent. */
  readonly a?: number
}

export default ({ lambda, a = 1 }: Options) => {
  expectScalar('lambda', lambda, { least: 0 })
  expectNumber('a', a, { least: 0, open: true })
  return {
    value: (w) => transformedL1(w.abs(), a).sum().mul(lambda),
    prox: (w, gamma) => w.sign().mul(shrinkTransformedL1(w.abs(), softThreshold(lambda, gamma), a)),
  } satisfies Penalty
}
