/**
 * ADMM pruning (Zhang et al., arXiv 1804.03294; scaled duals of Boyd et al., 2011, section 3.1.1), with rho called beta:
 *   w <- w - lr * rho * (w - z + v), then the optimiser's step;   after each epoch
 *   z <- prox(w + v) with gamma = 1 / rho,   v <- v + w - z
 * An epoch of steps stands for the minimisation over w; the duals are kept from epoch to epoch. With an update of v in
 * every batch, w has hardly moved between two of them and z and v swing.
 * What is validated and saved is prox(w), so that its zeros are real, with BatchNorm statistics measured for it: with
 * those of w a network of which half the channels are gone falls to chance. Training goes on from w.
 */
import type { Penalty, Scalar, Splitting } from '../tensor/kinds'
import { type State, noDuals, pullOfDuals, renewed } from './shared/duals'
import { proxOf } from './shared/prox'

export interface Options {
  /** rho, the weight of the quadratic term, > 0. */
  readonly beta: Scalar
  /** What z has to satisfy: a share of zeros (`sparseWeights`, `sparseChannels`), or any other penalty. */
  readonly penalty: Penalty
}

export type { State }

export default ({ beta, penalty }: Options) => {
  const prox = proxOf({ beta, penalty })
  return {
    init: (w) => ({ z: prox(w), v: noDuals(w) }),
    pull: pullOfDuals(beta),
    step: (_w, state) => state,
    renew: (w, { v }) => renewed(w, v, prox),
    replace: prox,
    aside: true,
  } satisfies Splitting<State>
}
