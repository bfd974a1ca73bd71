/**
 * The set of convolutions with a share of zero input channels: f(w) = 0 inside, infinity outside, so that gamma plays
 * no part. prox is the projection, which keeps the channels of the largest norms (structured ADMM pruning: Zhang et al.,
 * arXiv 1807.11091). The rule `paper` is that of paper A's ADMM (arXiv 2003.00631, released `main_admm.py`): channels
 * whose norm is not above the percentile of the norms go. Under it f(w) = 0 where the rule leaves w as it is.
 */
import { cat } from '../tensor/functions'
import type { Penalty } from '../tensor/kinds'
import { expectOneOf } from '../tensor/options'
import type { Tensor } from '../tensor/tensor'
import { channelNorms } from './shared/groups'
import { checkShare, indicator, indicatorOfShare, largest, percentile, type ShareOptions } from './shared/shares'

export interface Options extends ShareOptions {
  /**
   * `tensor` (when absent): the share holds in each convolution. `network`: over the channels of all convolutions
   * together, of which the smallest go, as under one threshold for all.
   */
  readonly within?: 'tensor' | 'network'
}

export default (options: Options) => {
  checkShare(options)
  const { share, rule = 'magnitude', within = 'tensor' } = options
  expectOneOf('within', within, rule === 'paper' ? ['tensor'] : ['tensor', 'network'])
  if (rule === 'paper') {
    const prox: Penalty['prox'] = (w) => {
      const norms = channelNorms(w)
      return w.where(norms.gt(percentile(norms.flatten(), share)), 0)
    }
    return { value: (w) => indicator(prox(w, 1).eq(w).all()), prox } satisfies Penalty
  }
  const prox: Penalty['prox'] = (w) => w.where(kept(largest(channelNorms(w).flatten(), share)), 0)
  const proxAll: Penalty['proxAll'] = (w) => {
    const norms = w.map((wi) => channelNorms(wi).flatten())
    const masks = apart(largest(cat(norms, 0), share), norms)
    return w.map((wi, i) => wi.where(kept(masks[i]!), 0))
  }
  return {
    value: (w) => indicatorOfShare(channelNorms(w).flatten(), share),
    prox,
    ...(within === 'network' && { proxAll }),
  } satisfies Penalty
}

/** A mask `[in]` as `[1, in, 1, 1]`. */
const kept = (mask: Tensor): Tensor => mask.reshape([1, -1, 1, 1])

/** `joined` cut into the lengths of `parts`, which a plan does not know as numbers. */
function apart(joined: Tensor, parts: readonly Tensor[]): Tensor[] {
  let start: Tensor | number = 0
  return parts.map((part) => {
    const positions = part.onesLike().to('int64').cumsum(0).sub(1).add(start)
    start = part.size(0).add(start)
    return joined.indexSelect(0, positions)
  })
}
