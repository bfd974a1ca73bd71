/**
 * What pruning adds to a training step: the same PGD step of `ts/training` with a splitting method and without, in turn, with
 * the ratio taken pair by pair.
 */
import { int } from '../../ts/tensor/plan'
import type { Session } from '../../ts/tensor/session'
import { admm, channelTarget, rgsm, rvsm, type TrainConfig } from '../../ts/training/config'
import { configure, presets } from '../../ts/training/presets'
import { openWork } from '../../ts/training/work'
import { spreadOf } from '../../ts/records/median'
import { timed } from './timed'

interface Network {
  readonly name: string
  readonly network: TrainConfig['network']
  readonly preset: keyof typeof presets
  readonly image: readonly [channels: number, size: number]
}

/** Those of the smoke preset and of the published tables, with their batch sizes and attacks. */
const NETWORKS: readonly Network[] = [
  { name: 'ResNet8, batch 64, PGD-3', network: { name: 'resnet8', options: {} }, preset: 'smoke', image: [1, 28] },
  { name: 'ResNet20, batch 128, PGD-10', network: { name: 'resnet20', options: {} }, preset: 'paper', image: [3, 32] },
]

type Method = Pick<TrainConfig, 'splitting' | 'target'>

/** Without the group-lasso term, which belongs to the loss. */
const METHODS: Readonly<Record<string, Method>> = {
  RVSM: { splitting: rvsm({ beta: 0.1, lambda: 1e-6 }) },
  RGSM: { splitting: rgsm({ beta: 1, lambda1: 0.05 }) },
  'RGSM, target by lambda': channelTarget({ beta: 1, channels: 0.4, by: 'lambda' }),
  'RGSM, target by cubic': channelTarget({ beta: 1, channels: 0.4, by: 'cubic' }),
  ADMM: { splitting: admm({ rho: 0.01, percent: 50, of: 'weights' }) },
  'ADMM (paper), weights': { splitting: admm({ rho: 0.01, percent: 50, of: 'weights', variant: 'paper' }) },
}

/** Networks times methods. */
export const SPLITTING_CASES = NETWORKS.length * Object.keys(METHODS).length

/** Seconds with the method divided by seconds without it: median, its 95 % interval, pairs. */
export interface SplittingCost {
  readonly name: string
  readonly method: string
  readonly ratio: number
  readonly low: number
  readonly high: number
  readonly n: number
  readonly plainSeconds: number
}

/** A step of training on random images as a function that runs and times it. */
async function stepOf(session: Session, { network, preset, image }: Network, method: Method) {
  const { threads } = session.info
  const cell = { network, splitting: { kind: 'none' } as const, lambda2: 0 }
  const config = { ...configure(presets[preset], cell, { seed: 0, threads }), ...method }
  const [channels, size] = image
  const n = config.batchSize
  const pixels = Float32Array.from({ length: n * channels * size * size }, (_, i) => ((i * 317) % 256) / 255)
  const images = session.put(pixels, [n, channels, size, size])
  const indices = BigInt64Array.from({ length: n }, (_, i) => BigInt(i))
  const [order, labels] = [
    session.put(indices, [n]),
    session.put(
      indices.map((i) => i % 10n),
      [n],
    ),
  ]
  const model = await session.model(config.network.name, { ...config.network.options, seed: 0 })
  const data = { images, labels, n, shape: [channels, size, size] }
  const work = openWork({ session, model, data, config: { ...config, images: n }, validation: [] })
  work.begin()
  const step = work.step(n)
  const wanted = config.target === undefined ? [] : [0.2]
  return {
    run: () =>
      timed(async () => {
        step(order, int(0), 0.01, ...wanted)
        await session.barrier()
      }),
    close() {
      work.close()
      for (const handle of [images, order, labels, model]) handle.free()
    },
  }
}

/** Measures all cases with `pairs` interleaved pairs each; `onProgress` counts finished pairs. */
export async function measureSplitting(
  session: Session,
  { pairs, onProgress = () => undefined }: { pairs: number; onProgress?: (done: number) => void },
): Promise<SplittingCost[]> {
  const found: SplittingCost[] = []
  let done = 0
  for (const network of NETWORKS) {
    for (const [method, options] of Object.entries(METHODS)) {
      const sides = [
        await stepOf(session, network, options),
        await stepOf(session, network, { splitting: { kind: 'none' } }),
      ]
      const times: [with_: number[], without: number[]] = [[], []]
      for (let pair = -1; pair < pairs; pair++) {
        // the order inside a pair alternates, so that a drift of the machine's speed favours neither
        for (const side of pair % 2 === 0 ? [0, 1] : [1, 0]) {
          const seconds = await sides[side]!.run()
          if (pair >= 0) times[side]!.push(seconds)
        }
        onProgress(++done)
      }
      for (const side of sides) side.close()
      const { median, low, high, n } = spreadOf(times[0].map((seconds, i) => seconds / times[1][i]!))
      const plainSeconds = spreadOf(times[1]).median
      found.push({ name: network.name, method, ratio: median, low, high, n, plainSeconds })
    }
  }
  return found
}
