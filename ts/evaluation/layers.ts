/** The convolutions of a network one by one: norms of their input channels, zeros, and which are dead altogether. */
import { type Zeros, type Sparsity } from './sparsity'
import { zeroNorms } from '../records/norms'
import { stack, use } from '../tensor/functions'
import type { Model } from '../tensor/model'
import { plan } from '../tensor/plan'
import type { Session } from '../tensor/session'

/** One convolution. */
export interface LayerSparsity {
  readonly name: string
  /** out, in, height, width. */
  readonly shape: readonly number[]
  /** Whether it lies on a skip path. */
  readonly downsample: boolean
  /** l2 norms of its input channels. */
  readonly norms: readonly number[]
  readonly inputChannels: Zeros
  readonly weights: Zeros
}

/** All convolutions in the order of the network; `channelNorms` is what `sparsity` counted. */
export async function layerSparsity(
  { session, model }: { session: Session; model: Model },
  { channelNorms }: Pick<Sparsity, 'channelNorms'>,
): Promise<LayerSparsity[]> {
  const convolutions = model.description.parameters.filter(({ role }) => role === 'conv' || role === 'downsample')
  const count = plan(
    'zeros of layers',
    () =>
      stack(
        use(model.parameters(['conv', 'downsample'])).map((w) => w.eq(0).sum()),
        0,
      ),
    { session },
  )
  const counted = count()
  const zeros = Array.from((await counted.read()).data as BigInt64Array, Number)
  counted.free()
  let start = 0
  return convolutions.map(({ name, shape, role }, i) => {
    const norms = channelNorms.slice(start, (start += shape[1]!))
    const weights = { zero: zeros[i]!, total: shape.reduce((a, b) => a * b, 1) }
    return { name, shape, downsample: role === 'downsample', norms, inputChannels: zeroNorms(norms), weights }
  })
}

/** A convolution without a weight other than zero: the block it lies in adds nothing but a constant. */
export const isDead = ({ weights }: Pick<LayerSparsity, 'weights'>): boolean => weights.zero === weights.total
