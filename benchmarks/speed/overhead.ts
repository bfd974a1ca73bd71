/**
 * What driving from TypeScript costs: the same PGD training step, driven by this package and as a hand-written PyTorch loop
 * (benchmarks/peers/pgd_training.py), in turn, with the ratio taken pair by pair; and the price of one batched command and of one round trip.
 */
import pgd from '../../ts/attacks/pgd'
import adversarial from '../../ts/losses/adversarial'
import { assign, grad, rand, use } from '../../ts/tensor/functions'
import { int, plan } from '../../ts/tensor/plan'
import type { Session } from '../../ts/tensor/session'
import type { Tensor } from '../../ts/tensor/tensor'
import linf from '../../ts/threats/linf'
import { craft } from '../../ts/threats/shared/craft'
import { spreadOf } from '../../ts/records/median'
import { Peer } from './peer'
import { timed } from './timed'

interface Case {
  readonly name: string
  readonly network: string
  readonly options: { members: number; noise: number; width: number; channels: number; stem_stride: number }
  readonly size: number
  readonly batch: number
  /** Steps timed together, so that one side of a pair takes long enough to time. */
  readonly steps: number
}

const SMALL = { members: 1, noise: 0, width: 16, channels: 1, stem_stride: 2 }

/** The two cases with an aim, and an ensemble. */
export const CASES: readonly Case[] = [
  { name: 'ResNet8, batch 16, 1x28x28', network: 'resnet8', options: SMALL, size: 28, batch: 16, steps: 5 },
  {
    name: 'En2ResNet8, batch 64, 1x28x28',
    network: 'enresnet8',
    options: { ...SMALL, members: 2, noise: 0.1 },
    size: 28,
    batch: 64,
    steps: 1,
  },
  {
    name: 'ResNet20, batch 128, 3x32x32',
    network: 'resnet20',
    options: { ...SMALL, channels: 3, stem_stride: 1 },
    size: 32,
    batch: 128,
    steps: 1,
  },
]

const ATTACK = { epsilon: 0.031, stepSize: 0.007, iterations: 10 }
const IMAGES = 1024
const SEED = 1
const COMMANDS = 20_000
const BLOCKS = 9
/** As many commands as one message holds. */
const BATCH = 256
const ROUND_TRIPS = 1000

export interface Overhead {
  readonly cases: readonly {
    readonly name: string
    /** Driven seconds divided by plain seconds: median, its 95 % interval, pairs. */
    readonly ratio: number
    readonly low: number
    readonly high: number
    readonly n: number
    readonly drivenSeconds: number
    readonly plainSeconds: number
  }[]
  readonly perCommandMicroseconds: number
  readonly roundTripMicroseconds: number
}

/** The driven step: a function from a number of steps to the seconds that they took. */
async function driven(
  session: Session,
  { network, options, size, batch }: Case,
): Promise<(steps: number) => Promise<number>> {
  const model = await session.model(network, { ...options, seed: SEED })
  const optimizer = session.sgd(model.parameters(), { momentum: 0.9, nesterov: true, weightDecay: 5e-4 })
  const generator = session.generator(SEED)
  const images = plan('images', () => rand([IMAGES, options.channels, size, size], generator), { session })()
  const labels = plan('labels', () => rand([IMAGES], generator).mul(10).floor().to('int64'), { session })()
  const order = session.put(
    BigInt64Array.from({ length: IMAGES }, (_, i) => BigInt((i * 317) % IMAGES)),
    [IMAGES],
  )
  const lossSum = session.put(new Float32Array(1), [])
  const attack = pgd(ATTACK)
  const threat = linf({ epsilon: ATTACK.epsilon })
  const loss = adversarial()

  const step = plan('training step', (start: Tensor, lr: Tensor) => {
    const index = use(order).narrow(0, start, batch)
    const clean = use(images).indexSelect(0, index)
    const y = use(labels).indexSelect(0, index)
    const net = (x: Tensor): Tensor => model.call(x, { mode: 'train', generator })
    const images_ = craft({ attack, threat, network: net, clean, y, generator })
    const value = loss(net, clean, images_.detach(), y)
    optimizer.step(grad(value, model.parameters()), lr)
    assign(lossSum, use(lossSum).add(value.detach()))
  })

  let position = 0
  return (steps) =>
    timed(async () => {
      for (let i = 0; i < steps; i++) {
        step(int(position), 0.1)
        position = (position + batch) % (IMAGES - batch + 1)
      }
      await session.barrier()
    })
}

async function measureCase(
  session: Session,
  example: Case,
  pairs: number,
  threads: number,
  onPair: () => void,
): Promise<Overhead['cases'][number]> {
  const peer = await Peer.start({
    ...example,
    ...ATTACK,
    height: example.size,
    width: example.size,
    threads,
    seed: SEED,
    images: IMAGES,
  })
  try {
    const run = await driven(session, example)
    const ours: number[] = []
    const plain: number[] = []
    for (let pair = -1; pair < pairs; pair++) {
      // the order inside a pair alternates, so that a drift of the machine's speed favours neither
      const first = pair % 2 === 0
      const a = first ? await run(example.steps) : await peer.steps(example.steps)
      const b = first ? await peer.steps(example.steps) : await run(example.steps)
      onPair()
      if (pair < 0) continue
      ours.push(first ? a : b)
      plain.push(first ? b : a)
    }
    const { median, low, high, n } = spreadOf(ours.map((seconds, i) => seconds / plain[i]!))
    return {
      name: example.name,
      ratio: median,
      low,
      high,
      n,
      drivenSeconds: spreadOf(ours).median / example.steps,
      plainSeconds: spreadOf(plain).median / example.steps,
    }
  } finally {
    peer.stop()
  }
}

/** Microseconds of one run of an empty plan: issued, batched, sent, decoded and applied. The median of blocks, after a warm-up. */
async function perCommand(session: Session): Promise<number> {
  const value = session.put(new Float32Array(1), [])
  const nothing = plan('nothing', (x: Tensor) => void x)
  const block = async (): Promise<void> => {
    for (let i = 1; i <= COMMANDS; i++) {
      nothing(value)
      if (i % BATCH === 0) await session.ready()
    }
    await session.barrier()
  }
  await block()
  const times: number[] = []
  for (let i = 0; i < BLOCKS; i++) times.push(await timed(block))
  return (spreadOf(times).median / COMMANDS) * 1e6
}

async function roundTrip(session: Session): Promise<number> {
  const value = session.put(new Float32Array(1), [])
  const times: number[] = []
  for (let i = 0; i < ROUND_TRIPS; i++) times.push(await timed(() => value.item()))
  return spreadOf(times).median * 1e6
}

/** Measures all cases with `pairs` interleaved pairs each; `onProgress` counts finished pairs. */
export async function measureOverhead(
  session: Session,
  { pairs, onProgress = () => undefined }: { pairs: number; onProgress?: (done: number) => void },
): Promise<Overhead> {
  const perCommandMicroseconds = await perCommand(session)
  const roundTripMicroseconds = await roundTrip(session)
  const cases = []
  let done = 0
  for (const example of CASES) {
    cases.push(await measureCase(session, example, pairs, session.info.threads, () => onProgress(++done)))
  }
  return { cases, perCommandMicroseconds, roundTripMicroseconds }
}
