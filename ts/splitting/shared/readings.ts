/**
 * Other readings of RVSM and RGSM than that of the authors' released code: the pull as a part of the loss ("w is updated by
 * gradient descent on L", paper A, arXiv 2003.00631, Algorithms 1 and 2), and weights that are never replaced by u.
 */
import type { Scalar, Splitting } from '../../tensor/kinds'
import { expectKeys, expectOneOf } from '../../tensor/options'
import type { Tensor } from '../../tensor/tensor'

/** Which parts are read otherwise; all as in the released code when absent. */
export interface Readings {
  /** True: beta / 2 * ||w - u||^2 is a term of the loss, and its gradient goes through momentum and Nesterov steps. */
  readonly coupled?: boolean
  /** True: an epoch is validated and saved with u, on a copy, and training goes on from w. */
  readonly aside?: boolean
}

/** u, the sparse copy of w. */
export type State = { readonly u: readonly Tensor[] }

/** The method as it is when no reading is chosen. Throws a RangeError of one sentence for options that nobody reads. */
export function withReadings<M extends Splitting<State>>(
  method: M,
  options: Readings & { readonly beta: Scalar },
): M & Pick<Splitting<State>, 'loss' | 'aside'> {
  expectKeys('options', options, ['beta', 'penalty'], ['coupled', 'aside'])
  const { beta, coupled = false, aside = false } = options
  expectOneOf('coupled', coupled, [true, false])
  expectOneOf('aside', aside, [true, false])
  return {
    ...method,
    ...(coupled && {
      pull: (w: readonly Tensor[]) => [...w],
      loss: (w: readonly Tensor[], { u }: State) => halfSquares(w, u).mul(beta),
    }),
    ...(aside && { aside }),
  }
}

/** ||w - u||^2 / 2 over all tensors. */
function halfSquares(w: readonly Tensor[], u: readonly Tensor[]): Tensor {
  const squares = w.map((wi, i) => wi.sub(u[i]!).square().sum())
  return squares.reduce((a, b) => a.add(b)).mul(0.5)
}
