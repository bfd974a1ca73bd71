/** Sets of the form "at least a share of the entries is zero": how many, which ones, and what lies in the set. */
import type { Scalar } from '../../tensor/kinds'
import { expectOneOf, expectScalar } from '../../tensor/options'
import type { Tensor } from '../../tensor/tensor'

/** What a share of zeros is made from; the same for weights and for channels. */
export interface ShareOptions {
  /** The share of zeros in each parameter tensor, in [0, 1]: floor(share * n) of n entries. */
  readonly share: Scalar
  /**
   * `magnitude` (when absent): the projection, which keeps the largest. `paper`: the percentile rule of the released
   * ADMM code of paper A (arXiv 2003.00631), which is no projection.
   */
  readonly rule?: 'magnitude' | 'paper'
}

/** Throws a RangeError of one sentence for options that make no set. */
export function checkShare({ share, rule = 'magnitude' }: ShareOptions): void {
  expectScalar('share', share, { least: 0, most: 1 })
  expectOneOf('rule', rule, ['magnitude', 'paper'])
}

/** floor(share * n), a 0-d int64 tensor. Shares such as 0.29 are not binary: 0.29 * 100 may lie just below 29. */
const zerosWanted = (n: Tensor, share: Scalar): Tensor => n.to('float64').mul(share).add(1e-9).floor().to('int64')

/**
 * Where the floor(share * n) smallest of `sizes` `[n]` are not: exactly that many are left out, also among equal ones,
 * of which the first go.
 */
export function largest(sizes: Tensor, share: Scalar): Tensor {
  const [, order] = sizes.sort()
  const position = order.onesLike().cumsum(0).sub(1)
  return position.scatter(0, order, position).ge(zerosWanted(sizes.size(0), share))
}

/** The percentile 100 * share of `values` `[n]` as `[1]`, linear between the two nearest ones. */
export function percentile(values: Tensor, share: Scalar): Tensor {
  const [sorted] = values.sort()
  const last = values.size(0).sub(1)
  const rank = last.to('float64').mul(share)
  const below = rank.floor()
  const at = (position: Tensor): Tensor => sorted.indexSelect(0, position.to('int64').reshape([1]))
  const [low, high] = [at(below), at(below.add(1).minimum(last))]
  return low.add(high.sub(low).mul(rank.sub(below).to('float32')))
}

/** 0 when at least floor(share * n) of `sizes` `[n]` are zero, else infinity: the indicator of the set. */
export function indicatorOfShare(sizes: Tensor, share: Scalar): Tensor {
  return indicator(
    sizes
      .eq(0)
      .sum()
      .ge(zerosWanted(sizes.size(0), share)),
  )
}

/** 0 where the condition, a 0-d boolean tensor, holds, else infinity. */
export function indicator(holds: Tensor): Tensor {
  const zero = holds.to('float32').zerosLike()
  return zero.where(holds, Infinity)
}
