/**
 * A run that is to prune a share of its channels. The share that is wanted after each step is a cubic (Zhu & Gupta, arXiv
 * 1710.01878) and an argument of the plans. By `cubic` it is the share of the set that the weights are projected onto; by
 * `lambda` it is what a controller compares the measured share with, after each step and on the worker:
 *   log(lambda) <- log(lambda) + GAIN / T * (wanted - measured),   T the steps until the share is to be reached
 * Once an epoch would be too slow: weight decay takes a third off all norms in an epoch of the short presets, and channels
 * that are zero hardly ever come back, so that an overshoot stays.
 */
import cubic from '../schedules/cubic'
import { zeroChannels } from '../penalties/shared/groups'
import { assign, use } from '../tensor/functions'
import type { Schedule } from '../tensor/kinds'
import type { DeviceTensor } from '../tensor/device_tensor'
import type { Session } from '../tensor/session'
import type { Tensor } from '../tensor/tensor'
import { splits, type TrainConfig } from './config'
import type { EpochMetrics } from './state'

/** The option of the penalty that each way of steering sets. */
export const STEERED = { lambda: 'lambda', cubic: 'share' } as const

/** Where the controller stops, which in a run of a few steps takes leaps: all norms are far between the thresholds. */
const LAMBDA_BOUNDS = [1e-12, 1e6] as const

/** A share that is missing by 0.1 over all the steps raises lambda by 6 e-folds. */
const GAIN = 60

/** The steering of one run. */
export interface Target {
  /** The options of the penalty that are not those of the configuration, inside a trace. */
  steered(wanted: Tensor): object
  /** After a step, inside its trace; `result` are the weights that an epoch would end with. */
  adapt(wanted: Tensor, result: readonly Tensor[]): void
  /** lambda, 0-d; null when no lambda is adapted. */
  readonly lambda: DeviceTensor | null
}

/** The share wanted after step `step` (from 0) of the whole run, with `steps` steps an epoch; null without a target. */
export function wantedShare({ target, epochs }: TrainConfig, steps: number): Schedule | null {
  if (target === undefined) return null
  const share = cubic({ from: 0, to: target.channels, steps: horizon(target.until, epochs, steps) })
  return (step) => share(step + 1)
}

const horizon = (until: number, epochs: number, steps: number): number =>
  Math.max(1, Math.round(until * epochs)) * steps

/** Null without a target. `steps` are those of an epoch. */
export function openTarget(session: Session, { target, splitting, epochs }: TrainConfig, steps: number): Target | null {
  if (target === undefined || !splits(splitting)) return null
  if (target.by === 'cubic')
    return { steered: (wanted) => ({ [STEERED.cubic]: wanted }), adapt: () => undefined, lambda: null }
  const lambda = session.put(Number(splitting.penalty.options[STEERED.lambda]), [], 'float64')
  const gain = GAIN / horizon(target.until, epochs, steps)
  return {
    steered: () => ({ [STEERED.lambda]: use(lambda) }),
    adapt(wanted, result) {
      const sum = (numbers: Tensor[]): Tensor => numbers.reduce((a, b) => a.add(b))
      const measured = sum(result.map(zeroChannels))
        .to('float64')
        .div(sum(result.map((w) => w.size(1))))
      assign(
        lambda,
        use(lambda)
          .mul(wanted.sub(measured).mul(gain).exp())
          .clamp(...LAMBDA_BOUNDS),
      )
    },
    lambda,
  }
}

/** By how much an epoch misses the share beyond the tolerance; 0 without a target. */
export function missOf({ target }: TrainConfig, { inputChannels }: Pick<EpochMetrics, 'inputChannels'>): number {
  if (target === undefined) return 0
  return Math.max(0, Math.abs(inputChannels.zero / inputChannels.total - target.channels) - target.tolerance)
}
