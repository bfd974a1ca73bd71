/**
 * Group lasso: f(w) = lambda * sum over i of ||w[:, i]||, groups = input channels.
 * ||w||_GL of paper A (arXiv 2003.00631).
 * prox is w[:, i] / ||w[:, i]|| * max(||w[:, i]|| - lambda gamma, 0).
 * value smooths the norm to sqrt(sum of squares + 1e-8), as the released code does, so that it has a gradient at zero
 * channels; prox takes the exact norm.
 */
import type { Penalty, Scalar } from '../tensor/kinds'
import { expectScalar } from '../tensor/options'
import { channelNorms, smoothedChannelNorms } from './shared/groups'
import { softThreshold } from './shared/threshold'

export interface Options {
  /** The price of one unit of channel norm, >= 0. */
  readonly lambda: Scalar
}

const SMOOTHING = 1e-8

export default ({ lambda }: Options) => {
  expectScalar('lambda', lambda, { least: 0 })
  return {
    value: (w) => smoothedChannelNorms(w, SMOOTHING).sum().mul(lambda),
    prox: (w, gamma) => {
      const norms = channelNorms(w)
      const threshold = softThreshold(lambda, gamma)
      // The quotient of a zero channel is 0 / 0; the mask discards it before it is seen.
      return w.mul(norms.sub(threshold).div(norms)).where(norms.gt(threshold), 0)
    },
  } satisfies Penalty
}
