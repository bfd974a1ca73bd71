/**
 * What the weights of convolutions look like: shares and histograms (paper A, arXiv 2003.00631, figures 1 and 2) and the
 * image of one layer. All is computed on the worker: counts come home, and one byte a weight of the image.
 */
import { fromCumulative, type Histogram } from '../records/histogram'
import { cat, stack, use } from '../tensor/functions'
import type { Model, ParameterFilter } from '../tensor/model'
import { plan } from '../tensor/plan'
import type { Session } from '../tensor/session'
import type { Tensor } from '../tensor/tensor'

/** Weights of a smaller magnitude are the small ones of the paper: 8.66 % of a natural, 3.64 % of a robust ResNet20. */
export const SMALL_WEIGHT = 1e-3

/** Which weights are looked at. */
export interface WeightOptions {
  readonly session: Session
  readonly model: Model
  /** Those of all convolutions when absent. */
  readonly filter?: ParameterFilter
}

/** Counts of weights. */
export interface WeightCounts {
  readonly total: number
  /** Exactly zero. */
  readonly zero: number
  /** |w| < 1e-3, zeros included. */
  readonly small: number
  /** Of the weights that are not zero. */
  readonly histogram: Histogram
}

const CONVOLUTIONS: ParameterFilter = ['conv', 'downsample']

const flat = ({ model, filter = CONVOLUTIONS }: WeightOptions): Tensor =>
  cat(
    use(model.parameters(filter)).map((w) => w.flatten()),
    0,
  )

const sizeOf = ({ model, filter = CONVOLUTIONS }: WeightOptions): number => {
  const names = new Set(model.names(filter))
  const chosen = model.description.parameters.filter(({ name }) => names.has(name))
  return chosen.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
}

/** The magnitude that a share of the weights in (0, 1] does not exceed. */
export async function magnitudeQuantile(options: WeightOptions, share: number): Promise<number> {
  const k = Math.max(1, Math.ceil(share * sizeOf(options)))
  const { session } = options
  const [value] = await read(session, 'magnitude', () => flat(options).abs().kthvalue(k)[0].reshape([1]))
  return value!
}

/** Counts of the weights between ascending `edges`, which are rounded to float32 first, as the weights are. */
export async function weightCounts(options: WeightOptions, edges: readonly number[]): Promise<WeightCounts> {
  const rounded = edges.map(Math.fround)
  const [zero, small, ...upTo] = await read(options.session, 'weights', () => {
    const w = flat(options)
    const below = rounded.map((edge, i) => (i === rounded.length - 1 ? w.le(edge) : w.lt(edge)).sum())
    return stack([w.eq(0).sum(), w.abs().lt(SMALL_WEIGHT).sum(), ...below], 0)
  })
  const total = sizeOf(options)
  const last = rounded.length - 1
  const withoutZeros = upTo.map((count, i) => count - (rounded[i]! > 0 || (i === last && rounded[i] === 0) ? zero! : 0))
  return { total, zero: zero!, small: small!, histogram: fromCumulative(edges, withoutZeros, total - zero!) }
}

/** A convolution as a picture of (out kernel height) x (in kernel width) pixels: a zero channel is an empty column. */
export interface LayerImage {
  readonly width: number
  readonly height: number
  /** Row-major; 128 is 0, 1 and 255 are -limit and limit or beyond. */
  readonly levels: Uint8Array
}

/** The image of the weight [out, in, height, width] with that name. */
export async function layerImage(session: Session, model: Model, name: string, limit: number): Promise<LayerImage> {
  const parameter = model.description.parameters.find((each) => each.name === name)
  if (parameter?.shape.length !== 4)
    throw new RangeError(`Expected \`name\` to be a convolution of ${model.description.architecture}, got \`${name}\``)
  const [out, channels, kernelHeight, kernelWidth] = parameter.shape as [number, number, number, number]
  const [height, width] = [out * kernelHeight, channels * kernelWidth]
  const [weight] = model.parameters((each) => each.name === name)
  // a layer of zeros has no scale of its own
  const scale = 127 / (limit > 0 ? limit : 1)
  const levels = await read(session, 'layer image', () =>
    use(weight!)
      .permute([0, 2, 1, 3])
      .reshape([height, width])
      .mul(scale)
      .clamp(-127, 127)
      .round()
      .add(128)
      .to('uint8'),
  )
  return { width, height, levels: Uint8Array.from(levels) }
}

async function read(session: Session, name: string, fn: () => Tensor): Promise<number[]> {
  const result = plan(name, fn, { session })()
  const { data } = await result.read()
  result.free()
  return Array.from(data as ArrayLike<number | bigint>, Number)
}
