/**
 * Group transformed l1: f(w) = lambda * sum over i of (a + 1) ||w[:, i]|| / (a + ||w[:, i]||), groups = input channels.
 * The penalty that the released code of paper A (arXiv 2003.00631) offers beside group l0, with a = 1.
 * It depends on the norm alone, so prox rescales each channel to the transformed-l1 prox of its norm.
 */
import type { Penalty, Scalar } from '../tensor/kinds'
import { expectNumber, expectScalar } from '../tensor/options'
import { channelNorms } from './shared/groups'
import { softThreshold } from './shared/threshold'
import { shrinkTransformedL1, transformedL1 } from './shared/transformed_l1'

export interface Options {
  /** The price of a channel of norm 1; no channel costs more than (a + 1) times it. */
  readonly lambda: Scalar
  /** Where the penalty bends, > 0; 1 when absent. */
  readonly a?: number
}

export default ({ lambda, a = 1 }: Options) => {
  expectScalar('lambda', lambda, { least: 0 })
  expectNumber('a', a, { least: 0, open: true })
  return {
    // The exact norm: torch gives it the gradient 0 at a zero channel.
    value: (w) => transformedL1(channelNorms(w), a).sum().mul(lambda),
    prox: (w, gamma) => {
      const norms = channelNorms(w)
      const shrunk = shrinkTransformedL1(norms, softThreshold(lambda, gamma), a)
      // The quotient of a zero channel is 0 / 0; the mask discards it before it is seen.
      return w.mul(shrunk.div(norms)).where(shrunk.gt(0), 0)
    },
  } satisfies Penalty
}
