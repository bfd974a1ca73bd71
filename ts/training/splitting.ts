/** A splitting method at work: its state in slots of its own, and what each part of an epoch does to the weights. */
import { use } from '../tensor/functions'
import type { Scalar, Splitting, Tree } from '../tensor/kinds'
import { plan } from '../tensor/plan'
import type { DeviceTensor } from '../tensor/device_tensor'
import type { Session } from '../tensor/session'
import type { Tensor } from '../tensor/tensor'
import { type SplittingConfig, splits, type TrainConfig } from './config'
import { makeMethod } from './registry'
import { assignAll, cloneAll, leavesOf, useAll, type DeviceTree } from './slots'
import { openTarget } from './target'

/**
 * The splitting of one run. All but `leaveResult` and `close` belong inside a trace. `wanted` is the share of a run
 * with a target (target.ts).
 */
export interface SplittingRun {
  readonly state: DeviceTree
  /** The lambda of a run that adapts it, 0-d. */
  readonly lambda: DeviceTensor | null
  /** The training loss with the method's term, where it has one. */
  addLoss(fit: Tensor, wanted?: Tensor): Tensor
  /** Before the optimiser's step: the weights move towards the state. */
  pull(lr: Scalar, wanted?: Tensor): void
  /** After it: the next state. */
  step(wanted?: Tensor): void
  /** After the last step of an epoch: the state is renewed, and the weights of the epoch's result enter the model. */
  enterResult(wanted?: Tensor): void
  /** Whether training goes on from other weights than those of the result, which then need statistics of their own. */
  readonly aside: boolean
  /** Puts the weights and statistics of training back, where it goes on from them. */
  leaveResult(): void
  close(): void
}

export interface SplittingOptions {
  readonly session: Session
  /** The weights that are split. */
  readonly convolutions: readonly DeviceTensor[]
  /** The statistics of the model's normalisation. */
  readonly buffers: readonly DeviceTensor[]
  readonly config: TrainConfig
  /** The steps of an epoch. */
  readonly steps: number
}

/** The method of a configuration with its penalty, whose options `steered` replaces; throws a RangeError of one sentence for bad options. */
export function makeSplitting(splitting: Exclude<SplittingConfig, { kind: 'none' }>, steered: object = {}): Splitting {
  const penalty = makeMethod('penalties', splitting.penalty.name, { ...splitting.penalty.options, ...steered })
  return makeMethod('splitting', splitting.kind, { ...splitting.options, beta: splitting.beta, penalty })
}

/** Null without a splitting method. */
export function openSplitting(options: SplittingOptions): SplittingRun | null {
  const { session, convolutions, buffers, config, steps } = options
  const { splitting } = config
  if (!splits(splitting)) return null
  const target = openTarget(session, config, steps)
  const fixed = makeSplitting(splitting)
  const method = (wanted?: Tensor): Splitting =>
    target === null ? fixed : makeSplitting(splitting, target.steered(wanted!))
  const begin = (...wanted: Tensor[]): Tree => cloneAll(method(...wanted).init(use(convolutions)))
  // What a method gives may be the weights themselves, hence the copies. Before the first step no zeros are wanted.
  const state = plan('first state', begin, { session })(...(target === null ? [] : [0]))
  const trained = [...convolutions, ...buffers]
  const aside = fixed.aside === true ? plan('copy', () => use(trained).map((w) => w.clone()), { session })() : null
  return {
    state,
    lambda: target?.lambda ?? null,
    addLoss(fit, wanted) {
      const term = method(wanted).loss?.(use(convolutions), useAll(state))
      return term === undefined ? fit : fit.add(term)
    },
    pull(lr, wanted) {
      assignAll(convolutions, method(wanted).pull(use(convolutions), useAll(state), lr))
    },
    step(wanted) {
      const before = useAll(state)
      const stepping = method(wanted)
      const after = stepping.step(use(convolutions), before)
      if (after !== before) assignAll(state, after)
      if (target !== null) target.adapt(wanted!, stepping.replace(use(convolutions), useAll(state)))
    },
    enterResult(wanted) {
      const ending = method(wanted)
      if (ending.renew !== undefined) assignAll(state, ending.renew(use(convolutions), useAll(state)))
      if (aside !== null) assignAll(aside, use(trained))
      assignAll(convolutions, ending.replace(use(convolutions), useAll(state)))
    },
    aside: aside !== null,
    leaveResult:
      aside === null ? () => undefined : plan('weights of training', () => assignAll(trained, use(aside)), { session }),
    close() {
      for (const handle of [...leavesOf(state), ...(aside ?? []), ...(target?.lambda ? [target.lambda] : [])])
        handle.free()
    },
  }
}
