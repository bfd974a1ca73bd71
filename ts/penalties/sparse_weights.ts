/**
 * The set of tensors with a share of zero entries: f(w) = 0 inside, infinity outside, so that gamma plays no part.
 * prox is the projection, which keeps the largest |w_i|: the sparsity constraint of ADMM pruning (Zhang et al., arXiv
 * 1804.03294, section 3). The rule `paper` is that of paper A's ADMM (arXiv 2003.00631, released `main_admm.py`): zero
 * where |w_i| is below the percentile of the SIGNED entries, which for symmetric weights and 50 % is about 0, so that
 * next to nothing goes. Under it f(w) = 0 where the rule leaves w as it is.
 */
import type { Penalty } from '../tensor/kinds'
import { checkShare, indicator, indicatorOfShare, largest, percentile, type ShareOptions } from './shared/shares'

export type Options = ShareOptions

export default (options: Options) => {
  checkShare(options)
  const { share, rule = 'magnitude' } = options
  if (rule === 'paper') {
    const prox: Penalty['prox'] = (w) => w.where(w.abs().ge(percentile(w.flatten(), share)), 0)
    return { value: (w) => indicator(prox(w, 1).eq(w).all()), prox } satisfies Penalty
  }
  return {
    value: (w) => indicatorOfShare(w.flatten(), share),
    prox: (w) => w.where(largest(w.abs().flatten(), share).reshapeAs(w), 0),
  } satisfies Penalty
}
