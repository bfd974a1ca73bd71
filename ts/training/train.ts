/**
 * Adversarial training with or without a splitting method (paper A, arXiv 2003.00631): the loop over epochs.
 * A step is one plan (step.ts), sums stay on the worker, and one packed read an epoch comes home. After each epoch the
 * whole state is one atomic file: a run that was killed goes on from its last epoch and ends with the same bits on a CPU.
 */
import { existsSync } from 'node:fs'
import { inPace } from '../tensor/pace'
import { int } from '../tensor/plan'
import type { Model } from '../tensor/model'
import type { Dataset, Session } from '../tensor/session'
import { checkConfig } from './check'
import type { TrainConfig } from './config'
import { learningRate, stepsPerEpoch } from './schedule'
import { loadProgress, saveProgress, type EpochMetrics, type Progress } from './state'
import { epochOrder, splitImages } from './split'
import { missOf, wantedShare } from './target'
import { openWork, type Work } from './work'

/** Where a run keeps its files; `RunFolder` of the records is one. */
export interface TrainFolder {
  /** The absolute path of a file of that name. */
  path(name: string): string
  /** Logs the metrics of an epoch. */
  append(metrics: EpochMetrics): void | Promise<void>
}

/** What `train` needs, and who is told how it goes. */
export interface TrainOptions {
  readonly session: Session
  /** Made with the seed of the configuration; trained in place, and left with the selected weights. */
  readonly model: Model
  /** The training split. */
  readonly data: Dataset
  readonly config: TrainConfig
  /** With a folder the run can be resumed: `state.safetensors`, and `model.safetensors` with the selected weights. */
  readonly folder?: TrainFolder
  /** After each step that the worker has finished. */
  readonly onStep?: (progress: { readonly epoch: number; readonly step: number; readonly steps: number }) => void
  readonly onEpoch?: (metrics: EpochMetrics) => void | Promise<void>
  /** Ends the run between two steps with the signal's reason; what was saved stays whole. */
  readonly signal?: AbortSignal
}

/** What a run gives besides the weights. */
export interface TrainResult {
  /** One entry an epoch, those before a resume included. */
  readonly history: readonly EpochMetrics[]
  /** The epoch whose weights the model now has, from 1. */
  readonly selectedEpoch: number
}

/**
 * Trains `model` in place and leaves it with the selected weights. With a folder that holds an unfinished run of the same
 * configuration it goes on from the last epoch.
 * @throws RangeError for a configuration that cannot be run; Error when the loss is no longer finite
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { session, model, data, config, folder, onEpoch, signal } = options
  checkConfig(config, data.n)
  if (config.threads !== null) {
    const { threads } = session.info
    if (threads !== config.threads) {
      throw new RangeError(
        `Expected a session with ${config.threads} threads, as the configuration says, got ${threads}`,
      )
    }
  }
  const split = splitImages(data.n, config)
  const work = openWork({ session, model, data, config, validation: split.validation })
  try {
    const statePath = folder?.path('state.safetensors')
    let progress: Progress = { epoch: 0, selected: null, history: [] }
    if (statePath !== undefined && existsSync(statePath))
      progress = await loadProgress(session, statePath, work.parts(), config)
    while (progress.epoch < config.epochs) {
      signal?.throwIfAborted()
      const order = epochOrder(split, config.seed, progress.epoch)
      const metrics = await runEpoch(work, order, progress.epoch, options)
      const selected = select(progress, metrics, config)
      progress = { epoch: progress.epoch + 1, selected, history: [...progress.history, metrics] }
      if (selected.epoch === progress.epoch) {
        work.keep()
        if (folder !== undefined) {
          await model.save(folder.path('model.safetensors'), {
            format: 'safetensors',
            metadata: { epoch: String(selected.epoch) },
          })
        }
      }
      work.leaveResult()
      if (folder !== undefined && statePath !== undefined) {
        await saveProgress(session, statePath, work.parts(), config, progress)
        await folder.append(metrics)
      }
      await onEpoch?.(metrics)
    }
    work.restore()
    await session.barrier()
    return { history: progress.history, selectedEpoch: progress.selected!.epoch }
  } finally {
    work.close()
  }
}

/**
 * One epoch: fresh momentum where the paper's code has it, the steps, w <- u, then what is worth knowing. It leaves the
 * weights of the run's result in the model.
 */
async function runEpoch(work: Work, order: number[], epoch: number, options: TrainOptions): Promise<EpochMetrics> {
  const { session, config, onStep, signal } = options
  const { batchSize } = config
  const lr = learningRate(config)(epoch)
  const steps = stepsPerEpoch(config, order.length)
  const wanted = wantedShare(config, steps)
  const share = (step: number): [] | [number] => (wanted === null ? [] : [wanted(epoch * steps + step)])
  work.begin()
  const positions = session.put(BigInt64Array.from(order, BigInt), [order.length])
  await inPace(
    session,
    steps,
    (step) => {
      const start = step * batchSize
      work.step(Math.min(batchSize, order.length - start))(positions, int(start), lr, ...share(step))
    },
    { onDone: (step) => onStep?.({ epoch: epoch + 1, step, steps }), signal },
  )
  positions.free()
  const seen = Math.min(steps * batchSize, order.length)
  const ended = await work.end(seen, ...share(steps - 1))
  if (!Number.isFinite(ended.loss)) {
    throw new Error(
      `Training diverged: the mean loss of epoch ${epoch + 1} is ${ended.loss} at learning rate ${lr}; a smaller \`optimiser.lr\` may help`,
    )
  }
  await work.enterResult(order, signal)
  return { epoch: epoch + 1, lr, ...ended, validation: await work.validate(signal) }
}

/** The last epoch, or the best: with a target, of those that miss it least. */
function select({ selected }: Progress, metrics: EpochMetrics, config: TrainConfig): NonNullable<Progress['selected']> {
  const { epoch } = metrics
  const correct = metrics.validation?.robust.correct ?? 0
  const miss = missOf(config, metrics)
  const found = { epoch, correct, ...(config.target !== undefined && { miss }) }
  if (config.validation.selection === 'last' || selected === null) return found
  const least = selected.miss ?? 0
  return miss < least || (miss === least && correct > selected.correct) ? found : selected
}
