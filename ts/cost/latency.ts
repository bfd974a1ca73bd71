/** How long forward passes really take: timed in the worker, the networks in turn, so that a busy moment of the machine meets all. */
import { type Spread, spreadOf } from '../records/median'
import type { Model } from '../tensor/model'
import { expectKeys, expectNumber } from '../tensor/options'
import type { Session } from '../tensor/session'

/** Seconds of one forward pass of one batch, and under which conditions. */
export interface Latency extends Spread {
  /** Seconds of every pass, in the order in which they were taken. */
  readonly seconds: readonly number[]
  /** Images a pass. */
  readonly batch: number
  /** Threads of torch. */
  readonly threads: number
  readonly device: string
  /** Whether noise was drawn, where the network draws it. */
  readonly noise: boolean
  /** Seconds over those of the first network, pass by pass. */
  readonly ratio: Spread
}

/** Options of `latency`. */
export interface LatencyOptions {
  readonly session: Session
  /** By the name that the result has. */
  readonly models: Readonly<Record<string, Model>>
  /** Channels, height and width of an image. */
  readonly shape: readonly number[]
  /** 100 when absent. */
  readonly batch?: number
  /** Timed passes of each network, 21 when absent; up to 1,000. */
  readonly repeats?: number
  /** False switches the noise off. */
  readonly noise?: boolean
}

/** Passes before those that are timed: the first ones allocate memory and choose algorithms. */
const WARMUP = 3

/**
 * Times forward passes in evaluation mode on random images: the median of `repeats` with its distribution-free 95 % interval.
 * @throws RangeError for options out of range
 */
export async function latency<Name extends string>(
  options: LatencyOptions & { readonly models: Readonly<Record<Name, Model>> },
): Promise<Record<Name, Latency>> {
  expectKeys('options of latency', options, ['session', 'models', 'shape'], ['batch', 'repeats', 'noise'])
  const { session, models, shape, batch = 100, repeats = 21, noise = true } = options
  expectNumber('batch', batch, { least: 1, integer: true })
  expectNumber('repeats', repeats, { least: 1, most: 1000, integer: true })
  const names = Object.keys(models) as Name[]
  const params = { shape: [...shape], batch, repeats, warmup: WARMUP, noise }
  const measured = (await session.call(
    'model.latency',
    params,
    names.map((name) => models[name]),
  )) as { seconds: number[][]; threads: number; device: string }
  const { threads, device } = measured
  const first = measured.seconds[0]!
  const entries = names.map((name, i): [Name, Latency] => {
    const seconds = measured.seconds[i]!
    const ratio = spreadOf(seconds.map((value, pass) => value / first[pass]!))
    return [name, { ...spreadOf(seconds), seconds, batch, threads, device, noise, ratio }]
  })
  return Object.fromEntries(entries) as Record<Name, Latency>
}
