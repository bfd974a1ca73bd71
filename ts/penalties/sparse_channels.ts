/**
 * The set of convolutions with a share of zero input channels: f(w) = 0 inside, infinity outside, so that gamma plays
 * no part. prox is the projection, which keeps the channels of the largest norms (structured ADMM pruning: Zhang et al.,
 * arXiv 1807.11091). The rule `paper` is that of paper A's ADMM (arXiv 2003.00631, released `main_admm.py`): channels
 * whose norm is not above the percentile of the norms go. Under it f(w) = 0 where the rule leaves w as it is.
 */
import type { Penalty } from '../tensor/kinds'
import { channelNorms } from './shared/groups'
import { checkShare, indicator, indicatorOfShare, largest, percentile, type ShareOptions } from './shared/shares'

export type Options = ShareOptions

export default (options: Options) => {
  checkShare(options)
  const { share, rule = 'magnitude' } = options
  if (rule === 'paper') {
    const prox: Penalty['prox'] = (w) => {
      const norms = channelNorms(w)
      return w.where(norms.gt(percentile(norms.flatten(), share)), 0)
    }
    return { value: (w) => indicator(prox(w, 1).eq(w).all()), prox } satisfies Penalty
  }
  return {
    value: (w) => indicatorOfShare(channelNorms(w).flatten(), share),
    prox: (w) => w.where(largest(channelNorms(w).flatten(), share).reshape([1, -1, 1, 1]), 0),
  } satisfies Penalty
}
