/**
 * RGSM, the relaxed group-wise splitting method (paper A, arXiv 2003.00631, Algorithm 2):
 *   w <- w - lr * beta * (w - u), then the optimiser's step
 *   u_g <- prox(w_g) with gamma = 1 / beta;   at an epoch's end w <- u
 * It is the iteration of RVSM with a penalty over groups: group l0 over input channels in the paper.
 * The term lambda2 * ||w||_GL of the paper belongs to the training loss, not to the splitting.
 */
import type { Splitting } from '../tensor/kinds'
import rvsm, { type Options, type State } from './rvsm'

export type { Options, State }

export default (options: Options) => rvsm(options) satisfies Splitting<State>
