/**
 * ADMM as in the released code of paper A (arXiv 2003.00631, `main_admm.py`; the ADMM rows of its Table 4), with rho
 * called beta. In every batch, before the gradient, z <- prox(w + v) and v <- v + w - z; after it
 *   w <- w - lr * rho * (w - z + v), then the optimiser's step
 * v starts again from 0 at each epoch, and w is evaluated as it is: nothing makes its zeros real. A weak baseline,
 * kept for comparison with the published row; `admm` is the method itself.
 * Here the update of a batch is done at the end of the one before: no weight changes in between, the numbers are the same.
 */
import type { Splitting } from '../tensor/kinds'
import type { Tensor } from '../tensor/tensor'
import type { Options } from './admm'
import { type State, noDuals, pullOfDuals, renewed } from './shared/duals'
import { proxOf } from './shared/prox'

export type { Options, State }

export default ({ beta, penalty }: Options) => {
  const prox = proxOf({ beta, penalty })
  const fresh = (w: readonly Tensor[]): State => renewed(w, noDuals(w), prox)
  return {
    init: fresh,
    pull: pullOfDuals(beta),
    step: (w, { v }) => renewed(w, v, prox),
    renew: fresh,
    replace: (w) => [...w],
  } satisfies Splitting<State>
}
