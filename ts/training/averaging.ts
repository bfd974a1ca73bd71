/**
 * Weight averaging: an exponential moving average of the weights after each step (Polyak & Juditsky, 1992; in adversarial
 * training: Gowal et al., arXiv 2010.03593, section 4.3),
 *   s <- decay s + (1 - decay),   a <- a + (1 - decay) / s * (w - a)
 * Dividing by s takes the first, random weights out of the average, as in Adam: short runs can be averaged too.
 * The averaged weights are the run's result: they are validated, selected and saved, with BatchNorm statistics of their
 * own. Training never sees them.
 */
import { assign, sub, use } from '../tensor/functions'
import { plan } from '../tensor/plan'
import type { DeviceTensor } from '../tensor/device_tensor'
import type { HandleOwner } from '../tensor/handle_owner'
import type { Model } from '../tensor/model'
import type { Session } from '../tensor/session'
import type { TrainConfig } from './config'
import { type RecalibrateOptions, recalibrateAsTrained } from './recalibrate'
import { assignAll } from './slots'

/** The averages of a run. */
export interface Averaging {
  /** Inside a step's trace, after the optimiser. */
  update(): void
  /** Puts the averaged weights into the model, and statistics from these images in training mode (attacked as in training). */
  enter(positions: readonly number[], signal?: AbortSignal): Promise<void>
  /** Puts the weights and statistics of training back. */
  leave(): void
  /** What the next epoch depends on. */
  parts(): Record<string, HandleOwner>
  close(): void
}

export interface AveragingOptions {
  readonly session: Session
  readonly model: Model
  readonly data: RecalibrateOptions['data']
  readonly config: TrainConfig
}

/** Null without averaging. */
export function openAveraging({ session, model, data, config }: AveragingOptions): Averaging | null {
  if (config.averaging === undefined) return null
  const { decay } = config.averaging
  const weights = model.parameters()
  const state = [...weights, ...model.buffers()]
  const total = session.put(0, [], 'float64')
  const copy = (from: DeviceTensor[]): DeviceTensor[] =>
    plan('copy', () => use(from).map((w) => w.clone()), { session })()
  const [averages, aside] = [copy(weights), copy(state)]
  const swapIn = plan(
    'averages in',
    () => {
      assignAll(aside, use(state))
      assignAll(weights, use(averages))
    },
    { session },
  )
  const leave = plan('averages out', () => assignAll(state, use(aside)), { session })
  return {
    update() {
      assign(
        total,
        use(total)
          .mul(decay)
          .add(1 - decay),
      )
      const share = use(total)
        .reciprocal()
        .mul(1 - decay)
      const kept = sub(1, share)
      // Not a + share (w - a): a share of 1 gives w to the last bit.
      averages.forEach((a, i) => assign(a, use(a).mul(kept).add(use(weights[i]!).mul(share))))
    },
    async enter(positions, signal) {
      swapIn()
      await recalibrateAsTrained({ session, model, data, config, positions, signal })
    },
    leave,
    parts: () => Object.fromEntries([total, ...averages].map((tensor, i) => [`averaging.${i}`, tensor])),
    close() {
      for (const handle of [total, ...averages, ...aside]) handle.free()
    },
  }
}
