/** What the ADMM variants share: the sparse copy z and the scaled dual v of every weight. */
import type { Scalar } from '../../tensor/kinds'
import type { Tensor } from '../../tensor/tensor'

/** z and v, one of each for every weight. */
export type State = { readonly z: readonly Tensor[]; readonly v: readonly Tensor[] }

/** w - lr * rho * (w - z + v). */
export const pullOfDuals =
  (rho: Scalar) =>
  (w: readonly Tensor[], { z, v }: State, lr: Scalar): Tensor[] =>
    w.map((wi, i) => wi.sub(wi.sub(z[i]!).add(v[i]!).mul(lr).mul(rho)))

/** z <- prox(w + v), v <- v + w - z. */
export function renewed(w: readonly Tensor[], v: readonly Tensor[], prox: (w: readonly Tensor[]) => Tensor[]): State {
  const sums = w.map((wi, i) => wi.add(v[i]!))
  const z = prox(sums)
  return { z, v: sums.map((sum, i) => sum.sub(z[i]!)) }
}

/** v = 0. */
export const noDuals = (w: readonly Tensor[]): Tensor[] => w.map((wi) => wi.zerosLike())
