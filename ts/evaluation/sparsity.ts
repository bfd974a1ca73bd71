/**
 * How sparse a network is, with every denominator that the papers use (paper A, arXiv 2003.00631):
 * a channel is an INPUT channel w[:, i, :, :] of a convolution and is zero when its norm is below 1e-15.
 */
import { channelNorms, zeroChannels } from '../penalties/shared/groups'
import { cat, use } from '../tensor/functions'
import { plan } from '../tensor/plan'
import type { Model } from '../tensor/model'
import type { Session } from '../tensor/session'
import type { Tensor } from '../tensor/tensor'

/** How many of `total` are zero. */
export interface Zeros {
  readonly zero: number
  readonly total: number
}

/** Zeros of a network. */
export interface Sparsity {
  /** Entries of all 4-D weights. */
  readonly convWeights: Zeros
  /** Input channels of all convolutions, stem and downsample included: the denominator of paper A. */
  readonly inputChannels: Zeros
  /** Without the 1x1 convolutions on skip paths: the denominator of paper B. */
  readonly inputChannelsWithoutDownsample: Zeros
  /** All trainable numbers. */
  readonly parameters: Zeros
  /** Norms of all input channels, in the order of the convolutions. */
  readonly channelNorms: number[]
}

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)
const total = (counts: readonly Tensor[]): Tensor => counts.reduce((a, b) => a.add(b))
const zeroEntries = (w: Tensor): Tensor => w.eq(0).sum()

/** Counts on the worker; only counts and norms come home. */
export async function sparsity({ session, model }: { session: Session; model: Model }): Promise<Sparsity> {
  const { parameters } = model.description
  const convolutions = parameters.filter(({ role }) => role === 'conv' || role === 'downsample')
  const conv = model.parameters(['conv', 'downsample'])
  const main = model.parameters('conv')
  const count = plan(
    'sparsity',
    (): { counts: Tensor[]; norms: Tensor } => ({
      counts: [
        total(use(conv).map(zeroEntries)),
        total(use(conv).map(zeroChannels)),
        total(use(main).map(zeroChannels)),
        total(use(model.parameters()).map(zeroEntries)),
      ],
      norms: cat(
        use(conv).map((w) => channelNorms(w).flatten()),
        0,
      ),
    }),
    { session },
  )
  const { counts, norms } = count()
  const [weights, channels, mainChannels, all] = await session.items(counts)
  const { data } = await norms.read()
  for (const handle of [...counts, norms]) handle.free()
  const channelsOf = (list: typeof parameters): number => list.reduce((sum, { shape }) => sum + shape[1]!, 0)
  return {
    convWeights: { zero: weights!, total: convolutions.reduce((sum, { shape }) => sum + size(shape), 0) },
    inputChannels: { zero: channels!, total: channelsOf(convolutions) },
    inputChannelsWithoutDownsample: {
      zero: mainChannels!,
      total: channelsOf(parameters.filter(({ role }) => role === 'conv')),
    },
    parameters: { zero: all!, total: parameters.reduce((sum, { shape }) => sum + size(shape), 0) },
    channelNorms: Array.from(data as Float32Array),
  }
}
