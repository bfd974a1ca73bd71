/**
 * New running statistics for the BatchNorm layers of a network whose weights are not those that it was trained with to
 * the end: averaged (Izmailov et al., arXiv 1803.05407, section 3.3), pruned, or meant for other images.
 * Each running mean and variance becomes the plain mean of those of the batches in training mode, so neither the order
 * of the batches nor the momentum of a layer matters.
 */
import pgd from '../attacks/pgd'
import linf from '../threats/linf'
import { craft } from '../threats/shared/craft'
import { assign, sub, use } from '../tensor/functions'
import type { Attack, Threat } from '../tensor/kinds'
import { expectNumber } from '../tensor/options'
import { inPace } from '../tensor/pace'
import { int, plan } from '../tensor/plan'
import type { DeviceTensor } from '../tensor/device_tensor'
import type { Model } from '../tensor/model'
import type { Session } from '../tensor/session'
import type { Tensor } from '../tensor/tensor'
import type { StepAttack, TrainConfig } from './config'

/** What `recalibrate` needs: the network, and images to measure the statistics of its normalisation on. */
export interface RecalibrateOptions {
  readonly session: Session
  /** Its running statistics are written; its weights stay. */
  readonly model: Model
  /** Images `[n, channels, height, width]` in [0, 1] and labels `[n]`. */
  readonly data: { readonly images: DeviceTensor; readonly labels: DeviceTensor; readonly n: number }
  readonly batch: number
  readonly batches: number
  /** Attacked images instead of clean ones, crafted in training mode. */
  readonly attack?: { readonly attack: Attack; readonly threat: Threat; readonly clampStart?: boolean } | null
  /** Seed of the network's noise and of random starts; 0 when absent. */
  readonly seed?: number
  /** Which images, in this order; those from the first when absent. */
  readonly positions?: readonly number[]
  readonly signal?: AbortSignal
}

/** Resets the running statistics of all BatchNorm layers and fills them with `batches` passes in training mode. */
export async function recalibrate(options: RecalibrateOptions): Promise<void> {
  const { session, model, data, batch, batches, attack = null, seed = 0, positions, signal } = options
  const n = positions?.length ?? data.n
  expectNumber('batch', batch, { least: 1, most: n, integer: true })
  expectNumber('batches', batches, { least: 1, most: Math.floor(n / batch), integer: true })
  const { moments, counters } = statisticsOf(model)
  const taken = Array.from({ length: batch * batches }, (_, i) => BigInt(positions?.[i] ?? i))
  const order = session.put(BigInt64Array.from(taken), [taken.length])
  const generator = session.generator(seed)
  const sums = plan('sums', () => use(moments).map((moment) => moment.zerosLike()), { session })()

  const pick = (from: DeviceTensor, start: number | Tensor): Tensor =>
    use(from).indexSelect(0, use(order).narrow(0, start, batch))
  const reset = (value: number): void => {
    for (const moment of moments) assign(moment, use(moment).fullLike(value))
    for (const counter of counters) assign(counter, use(counter).zerosLike())
  }
  const add = plan(
    'recalibrate',
    (start: Tensor) => {
      const network = (x: Tensor): Tensor => model.call(x, { mode: 'train', generator })
      const [clean, y] = [pick(data.images, start), pick(data.labels, start)]
      const x = attack === null ? clean : craft({ ...attack, network, clean, y, generator })
      // From 0, a layer of momentum p keeps p times the statistic of the batch: its share is taken out at the end.
      reset(0)
      network(x)
      use(moments).forEach((moment, i) => assign(sums[i]!, use(sums[i]!).add(moment)))
    },
    { session },
  )
  const fill = plan(
    'fill statistics',
    () => {
      // The same batch without noise, from 0 and from 1: the results lie 1 - p apart.
      const [zero, one] = [0, 1].map((value) => {
        reset(value)
        model.call(pick(data.images, 0), { mode: 'train', noise: false })
        return use(moments).map((moment) => moment.clone())
      })
      moments.forEach((moment, i) => {
        const momentum = sub(1, one![i]!.sub(zero![i]!).mean())
        assign(moment, use(sums[i]!).div(momentum.mul(batches)))
      })
      for (const counter of counters) assign(counter, use(counter).fullLike(batches))
    },
    { session },
  )
  try {
    await inPace(session, batches, (i) => void add(int(i * batch)), { signal })
    fill()
    await session.barrier()
  } finally {
    for (const handle of [order, generator, ...sums]) handle.free()
  }
}

/** How many batches of training the statistics are taken from, where there are as many. */
const TRAINING_BATCHES = 50

/** The training images of an epoch, for `recalibrateAsTrained`. */
export interface AsTrained extends Pick<RecalibrateOptions, 'session' | 'model' | 'signal'> {
  readonly data: RecalibrateOptions['data']
  readonly config: TrainConfig
  readonly positions: readonly number[]
}

/** Fills the statistics from images as training sees them: its batches, its attack. */
export async function recalibrateAsTrained({ config, positions, ...rest }: AsTrained): Promise<void> {
  const { attack, threat, batchSize, seed } = config
  await recalibrate({
    ...{ ...rest, positions, seed, batch: batchSize },
    batches: Math.min(TRAINING_BATCHES, Math.floor(positions.length / batchSize)),
    attack:
      attack === null ? null : { attack: pgd(stepsOf(attack)), threat: linf(threat), clampStart: attack.clampStart },
  })
}

const stepsOf = ({ stepSize, iterations, randomStart }: StepAttack): StepAttack => ({
  stepSize,
  iterations,
  randomStart,
})

/** The running means and variances of a network, and its counts of batches. */
function statisticsOf(model: Model): { moments: DeviceTensor[]; counters: DeviceTensor[] } {
  const buffers = model.buffers()
  const named = (pattern: RegExp): DeviceTensor[] =>
    buffers.filter((_, i) => pattern.test(model.description.buffers[i]!.name))
  const moments = named(/(^|\.)running_(mean|var)$/)
  if (moments.length === 0) {
    const { architecture } = model.description
    throw new RangeError(`Expected \`model\` to have BatchNorm layers with running statistics, got ${architecture}`)
  }
  return { moments, counters: named(/(^|\.)num_batches_tracked$/) }
}
