/**
 * RVSM, the relaxed variable splitting method (Dinh & Xin, arXiv 1812.05719; paper A, arXiv 2003.00631, Algorithm 1):
 *   L(w, u) = loss(w) + penalty(u) + beta / 2 * ||w - u||^2
 *   w <- w - lr * beta * (w - u), then the optimiser's step
 *   u <- prox(w) with gamma = 1 / beta;   at an epoch's end w <- u
 * The pull is decoupled from the momentum and u sees the updated w, both as in the authors' released code; the options
 * have the other readings of the text ("w is updated by gradient descent on L"; w is never replaced).
 */
import { expectKeys, expectOneOf } from '../tensor/options'
import type { Penalty, Scalar, Splitting } from '../tensor/kinds'
import type { Tensor } from '../tensor/tensor'
import { proxOf } from './shared/prox'

export interface Options {
  /** The weight of the quadratic term, > 0. */
  readonly beta: Scalar
  /** The penalty on u: l0 in the papers. */
  readonly penalty: Penalty
  /** True: beta / 2 * ||w - u||^2 is a term of the loss, and its gradient goes through momentum and Nesterov steps. */
  readonly coupled?: boolean
  /** True: an epoch is validated and saved with u, on a copy, and training goes on from w. */
  readonly aside?: boolean
}

/** u, the sparse copy of w. */
export type State = { readonly u: readonly Tensor[] }

export default (options: Options) => {
  expectKeys('options', options, ['beta', 'penalty'], ['coupled', 'aside'])
  const { beta, penalty, coupled = false, aside = false } = options
  expectOneOf('coupled', coupled, [true, false])
  expectOneOf('aside', aside, [true, false])
  const prox = proxOf({ beta, penalty })
  const proxOfAll = (w: readonly Tensor[]): State => ({ u: prox(w) })
  return {
    init: proxOfAll,
    pull: (w, { u }, lr) => (coupled ? [...w] : w.map((wi, i) => wi.sub(wi.sub(u[i]!).mul(lr).mul(beta)))),
    ...(coupled && { loss: (w, { u }) => halfSquares(w, u).mul(beta) }),
    step: proxOfAll,
    replace: (_w, { u }) => [...u],
    ...(aside && { aside }),
  } satisfies Splitting<State>
}

/** ||w - u||^2 / 2 over all tensors. */
function halfSquares(w: readonly Tensor[], u: readonly Tensor[]): Tensor {
  const squares = w.map((wi, i) => wi.sub(u[i]!).square().sum())
  return squares.reduce((a, b) => a.add(b)).mul(0.5)
}
