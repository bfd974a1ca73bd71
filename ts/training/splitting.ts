/** A splitting method at work: its state in slots of its own, and what each part of an epoch does to the weights. */
import { use } from '../tensor/functions'
import type { Scalar, Splitting } from '../tensor/kinds'
import { plan } from '../tensor/plan'
import type { DeviceTensor } from '../tensor/device_tensor'
import type { Session } from '../tensor/session'
import { type SplittingConfig, splits, type TrainConfig } from './config'
import { makeMethod } from './registry'
import { assignAll, cloneAll, leavesOf, useAll, type DeviceTree } from './slots'

/** The splitting of one run. All but `leaveResult` and `close` belong inside a trace. */
export interface SplittingRun {
  readonly state: DeviceTree
  /** Before the optimiser's step: the weights move towards the state. */
  pull(lr: Scalar): void
  /** After it: the next state. */
  step(): void
  /** After the last step of an epoch: the state is renewed, and the weights of the epoch's result enter the model. */
  enterResult(): void
  /** Puts the weights of training back, where the method trains on from them. */
  leaveResult(): void
  close(): void
}

export interface SplittingOptions {
  readonly session: Session
  /** The weights that are split. */
  readonly convolutions: readonly DeviceTensor[]
  readonly config: TrainConfig
}

/** The method of a configuration with its penalty; throws a RangeError of one sentence for bad options. */
export function makeSplitting(splitting: Exclude<SplittingConfig, { kind: 'none' }>): Splitting {
  const penalty = makeMethod('penalties', splitting.penalty.name, splitting.penalty.options)
  return makeMethod('splitting', splitting.kind, { beta: splitting.beta, penalty })
}

/** Null without a splitting method. */
export function openSplitting({ session, convolutions, config }: SplittingOptions): SplittingRun | null {
  if (!splits(config.splitting)) return null
  const method = makeSplitting(config.splitting)
  // What a method gives may be the weights themselves, hence the copies.
  const state = plan('first state', () => cloneAll(method.init(use(convolutions))), { session })()
  const aside =
    method.aside === true ? plan('copy', () => use(convolutions).map((w) => w.clone()), { session })() : null
  return {
    state,
    pull(lr) {
      assignAll(convolutions, method.pull(use(convolutions), useAll(state), lr))
    },
    step() {
      const before = useAll(state)
      const after = method.step(use(convolutions), before)
      if (after !== before) assignAll(state, after)
    },
    enterResult() {
      if (method.renew !== undefined) assignAll(state, method.renew(use(convolutions), useAll(state)))
      if (aside !== null) assignAll(aside, use(convolutions))
      assignAll(convolutions, method.replace(use(convolutions), useAll(state)))
    },
    leaveResult:
      aside === null
        ? () => undefined
        : plan('weights of training', () => assignAll(convolutions, use(aside)), { session }),
    close() {
      for (const handle of [...leavesOf(state), ...(aside ?? [])]) handle.free()
    },
  }
}
