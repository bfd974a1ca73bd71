/**
 * RVSM, the relaxed variable splitting method (Dinh & Xin, arXiv 1812.05719; paper A, arXiv 2003.00631, Algorithm 1):
 *   L(w, u) = loss(w) + penalty(u) + beta / 2 * ||w - u||^2
 *   w <- w - lr * beta * (w - u), then the optimiser's step
 *   u <- prox(w) with gamma = 1 / beta;   at an epoch's end w <- u
 * The pull is decoupled from the momentum and u sees the updated w, both as in the authors' released code.
 */
import type { Penalty, Scalar, Splitting } from '../tensor/kinds'
import type { Tensor } from '../tensor/tensor'
import { proxOf } from './shared/prox'
import { type Readings, type State, withReadings } from './shared/readings'

export interface Options extends Readings {
  /** The weight of the quadratic term, > 0. */
  readonly beta: Scalar
  /** The penalty on u: l0 in the papers. */
  readonly penalty: Penalty
}

export type { State }

export default (options: Options) => {
  const { beta } = options
  const prox = proxOf(options)
  const proxOfAll = (w: readonly Tensor[]): State => ({ u: prox(w) })
  const method = {
    init: proxOfAll,
    pull: (w, { u }, lr) => w.map((wi, i) => wi.sub(wi.sub(u[i]!).mul(lr).mul(beta))),
    step: proxOfAll,
    replace: (_w, { u }) => [...u],
  } satisfies Splitting<State>
  return withReadings(method, options)
}
