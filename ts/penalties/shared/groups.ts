/**
 * The groups of group penalties: a channel is an INPUT channel of a convolution, w[:, i, :, :] of
 * [out, in, height, width] (paper A, arXiv 2003.00631, section on RGSM; the released code sums over dimensions 0, 2, 3).
 */
import type { Tensor } from '../../tensor/tensor'

/** A channel counts as zero when its norm is below this (paper A, definition of channel sparsity). */
export const ZERO_NORM = 1e-15

const WITHIN_CHANNEL = [0, 2, 3]

/** ||w[:, i]||_2 without any smoothing, as `[1, in, 1, 1]`. */
export const channelNorms = (w: Tensor): Tensor => w.norm({ p: 2, dim: WITHIN_CHANNEL, keepdim: true })

/**
 * sqrt(sum of squares + smoothing), as `[1, in, 1, 1]`: has a gradient at a zero channel, where the exact norm has
 * none.
 */
export const smoothedChannelNorms = (w: Tensor, smoothing: number): Tensor =>
  w.square().sum({ dim: WITHIN_CHANNEL, keepdim: true }).add(smoothing).sqrt()

/** Number of zero input channels of w, a 0-d int64 tensor. */
export const zeroChannels = (w: Tensor): Tensor => channelNorms(w).lt(ZERO_NORM).sum()
