/** What a run holds on the worker, and the plans that begin, end, keep and restore an epoch. */
import pgd from '../attacks/pgd'
import { zeroChannels } from '../penalties/shared/groups'
import { assign, use } from '../tensor/functions'
import { plan } from '../tensor/plan'
import type { DeviceTensor } from '../tensor/device_tensor'
import type { HandleOwner } from '../tensor/handle_owner'
import type { Model } from '../tensor/model'
import { pickImages } from '../tensor/pick'
import type { Dataset, Session } from '../tensor/session'
import type { Tensor } from '../tensor/tensor'
import { countCorrect, type Count } from '../threats/shared/count'
import linf from '../threats/linf'
import { openAveraging } from './averaging'
import type { TrainConfig } from './config'
import { assignAll, leavesOf } from './slots'
import { openSplitting } from './splitting'
import type { EpochMetrics } from './state'
import { recalibrateAsTrained } from './recalibrate'
import { stepsPerEpoch } from './schedule'
import { trainingStep, type TrainParts } from './step'

/** The papers validate and test in batches of 100; whole-tensor noise depends on the batch. */
const VALIDATION_BATCH = 100

/** One training run's handles and plans. */
export interface Work {
  /** Resets the sums, and the momentum where the configuration says so. */
  begin(): void
  /** The plan of a step with that many images. */
  step(batch: number): ReturnType<typeof trainingStep>
  /** Enters the splitting method's result (w <- u), then the mean loss and accuracy over the `seen` images, and the zero channels: one packed read. */
  end(seen: number, wanted?: number): Promise<Pick<EpochMetrics, 'loss' | 'trainAccuracy' | 'inputChannels' | 'lambda'>>
  /** Puts what else belongs to the run's result into the model: averaged weights, and statistics of weights set aside. */
  enterResult(order: readonly number[], signal?: AbortSignal): Promise<void>
  /** Puts the weights of training back. */
  leaveResult(): void
  validate(signal?: AbortSignal): Promise<EpochMetrics['validation']>
  /** Keeps a copy of the model's weights and buffers. */
  keep(): void
  /** Puts the kept copy back into the model. */
  restore(): void
  /** Everything that the next epoch depends on, by name. */
  parts(): Record<string, HandleOwner>
  /** Frees what the run holds; the model stays. */
  close(): void
}

export interface WorkOptions {
  readonly session: Session
  readonly model: Model
  readonly data: Pick<Dataset, 'images' | 'labels' | 'n' | 'shape'>
  readonly config: TrainConfig
  /** Positions of the validation images in the training split. */
  readonly validation: readonly number[]
}

export function openWork({ session, model, data, config, validation }: WorkOptions): Work {
  const convolutions = model.parameters(['conv', 'downsample'])
  const { momentum, nesterov, weightDecay } = config.optimiser
  const optimizer = session.sgd(model.parameters(), { momentum, nesterov, weightDecay })
  const generator = session.generator(config.seed)
  const steps = stepsPerEpoch(config, config.images ?? data.n - validation.length)
  const sums = { loss: session.put(0, [], 'float64'), correct: session.put(new BigInt64Array(1), []) }
  const splitting = openSplitting({ session, convolutions, buffers: model.buffers(), config, steps })
  const averaging = openAveraging({ session, model, data, config })
  const [channels, height, width] = data.shape as [number, number, number]
  const parts: TrainParts = {
    ...{
      session,
      model,
      images: data.images,
      labels: data.labels,
      optimizer,
      generator,
      convolutions,
      splitting,
      averaging,
      sums,
    },
    size: { channels, height, width },
  }
  const held = validationImages(session, data, validation)
  const weights = [...model.parameters(), ...model.buffers()]
  const copies = plan('copy', () => use(weights).map((w) => w.clone()), { session })()
  const run = (name: string, body: () => void) => plan(name, body, { session })

  const begin = run('begin epoch', () => {
    assign(sums.loss, use(sums.loss).zerosLike())
    assign(sums.correct, use(sums.correct).zerosLike())
    if (config.optimiser.resetMomentumEachEpoch) optimizer.reset()
  })
  const end = plan(
    'end epoch',
    (...wanted: Tensor[]) => {
      splitting?.enterResult(...wanted)
      return use(convolutions)
        .map(zeroChannels)
        .reduce((a, b) => a.add(b))
    },
    { session },
  )
  const plans = new Map<number, ReturnType<typeof trainingStep>>()
  return {
    begin,
    step(batch) {
      const known = plans.get(batch) ?? trainingStep(parts, config, batch)
      plans.set(batch, known)
      return known
    },
    async end(seen, wanted) {
      const zeros = end(...(wanted === undefined ? [] : [wanted]))
      const lambda = splitting?.lambda ?? null
      const [loss, correct, zero, adapted] = await session.items([
        ...[sums.loss, sums.correct, zeros],
        ...(lambda === null ? [] : [lambda]),
      ])
      zeros.free()
      return {
        loss: loss! / seen,
        trainAccuracy: correct! / seen,
        inputChannels: { zero: zero!, total: countChannels(model) },
        ...(adapted !== undefined && { lambda: adapted }),
      }
    },
    async enterResult(order, signal) {
      await averaging?.enter(order, signal)
      if (splitting?.aside === true)
        await recalibrateAsTrained({ session, model, data, config, positions: order, signal })
    },
    leaveResult() {
      averaging?.leave()
      splitting?.leaveResult()
    },
    validate: (signal) => validate({ session, model, config, held, signal }),
    keep: run('keep weights', () => assignAll(copies, use(weights))),
    restore: run('restore weights', () => assignAll(weights, use(copies))),
    parts: () => ({
      model,
      optimizer,
      generator,
      ...named('splitting', splitting === null ? [] : leavesOf(splitting.state)),
      ...(splitting?.lambda && { lambda: splitting.lambda }),
      ...named('kept', copies),
      ...averaging?.parts(),
    }),
    close() {
      for (const handle of [optimizer, generator, sums.loss, sums.correct, ...copies]) handle.free()
      splitting?.close()
      averaging?.close()
      held?.images.free()
      held?.labels.free()
    },
  }
}

const named = (prefix: string, tensors: readonly DeviceTensor[]): Record<string, DeviceTensor> =>
  Object.fromEntries(tensors.map((tensor, i) => [`${prefix}.${i}`, tensor]))

/** Input channels of all convolutions. */
function countChannels({ description }: Model): number {
  return description.parameters
    .filter(({ role }) => role === 'conv' || role === 'downsample')
    .reduce((sum, { shape }) => sum + shape[1]!, 0)
}

interface Held {
  readonly images: DeviceTensor
  readonly labels: DeviceTensor
  readonly n: number
}

function validationImages(session: Session, data: WorkOptions['data'], positions: readonly number[]): Held | null {
  if (positions.length === 0) return null
  return { ...pickImages(session, data, positions), n: positions.length }
}

/** Natural and adversarial accuracy; the draws are the same in every epoch, so epochs compare. */
async function validate(options: {
  session: Session
  model: Model
  config: TrainConfig
  held: Held | null
  signal?: AbortSignal
}): Promise<EpochMetrics['validation']> {
  const { session, model, config, held, signal } = options
  if (held === null) return null
  const threat = linf(config.threat)
  const count = (attack: ReturnType<typeof pgd> | null): Promise<Count> =>
    countCorrect({ session, model, ...held, batch: VALIDATION_BATCH, attack, threat, seed: config.seed, signal })
  return { natural: await count(null), robust: await count(pgd(config.validation.attack)) }
}
