/**
 * What compaction costs and brings: the time to compact an ensemble with about half of its channels zero, and the speed of the compact network
 * against a fresh dense one of the same widths (benchmarks/peers/same_widths.py) and against the network before, in turn.
 */
import { join } from 'node:path'
import { packageRoot } from '../../bridge/root'
import { compact } from '../../ts/compaction/compact'
import type { Widths } from '../../ts/tensor/graph'
import { assign, grad, rand, use } from '../../ts/tensor/functions'
import { plan } from '../../ts/tensor/plan'
import type { Model, Session } from '../../ts/tensor/session'
import { type Spread, spreadOf } from '../../ts/records/median'

/** What is measured on; the default is the case with the aims. */
export interface CompactionCase {
  readonly network: string
  readonly members: number
  readonly size: readonly [channels: number, height: number, width: number]
  readonly batch: number
}

export const CASE: CompactionCase = { network: 'enresnet20', members: 5, size: [3, 32, 32], batch: 64 }
const SEED = 1
const COMPACTIONS = 5

/** Seconds of a pass, and how fast the compact network is beside the others: their seconds divided by its own, round by round. */
interface PassSpeed {
  readonly compactSeconds: Spread
  readonly sameWidths: Spread
  readonly original: Spread
}

/** The measurement. */
export interface CompactionSpeed {
  readonly case: CompactionCase
  readonly parameters: { readonly before: number; readonly after: number }
  readonly inputChannels: { readonly before: number; readonly after: number }
  /** Tracing, reading the zeros, planning, and making the smaller network. */
  readonly compactionSeconds: Spread
  readonly forward: PassSpeed
  readonly forwardBackward: PassSpeed
}

/** Measures with that many rounds of the three networks in turn; `onProgress` counts rounds. */
export async function measureCompaction(
  session: Session,
  {
    rounds,
    onProgress = () => undefined,
    ...given
  }: Partial<CompactionCase> & {
    rounds: number
    onProgress?: (done: number) => void
  },
): Promise<CompactionSpeed> {
  const example = { ...CASE, ...given }
  const { network, members, size } = example
  const original = await session.model(network, { members, channels: size[0], seed: SEED })
  zeroHalf(session, original)
  const seconds: number[] = []
  let last = await compact({ session, model: original, size })
  for (let i = 0; i < COMPACTIONS; i++) {
    await session.barrier()
    seconds.push(await timed(async () => void (last = await compact({ session, model: original, size }))))
  }
  const { model: small, widths, report } = last
  const fresh = await sameWidths(session, small, widths)
  const networks = { small, fresh, original }
  const { parameters, inputChannels } = report
  return {
    case: example,
    ...{ parameters, inputChannels },
    compactionSeconds: spreadOf(seconds),
    forward: await passes(session, networks, example, false, rounds, onProgress),
    forwardBackward: await passes(session, networks, example, true, rounds, (done) => onProgress(rounds + done)),
  }
}

/** Zeroes about half of the input channels of every convolution but the stems, as RGSM does. */
export function zeroHalf(session: Session, model: Model): void {
  const generator = session.generator(SEED)
  const layers = model.description.parameters.filter(
    ({ name, role }) => (role === 'conv' || role === 'downsample') && !/^ensemble\.\d+\.conv1\./.test(name),
  )
  const weights = new Map(model.names().map((name, i) => [name, model.parameters()[i]!]))
  plan(
    'zero half',
    () => {
      for (const { name, shape } of layers) {
        const w = use(weights.get(name)!)
        assign(weights.get(name)!, w.where(rand([1, shape[1]!, 1, 1], generator).ge(0.5), 0))
      }
    },
    { session },
  )()
}

function sameWidths(session: Session, small: Model, widths: Widths): Promise<Model> {
  const { name, options } = small.description
  return session.adopt(`${join(packageRoot(), 'benchmarks', 'peers', 'same_widths.py')}:make`, {
    name,
    options,
    widths,
    seed: SEED,
  })
}

async function passes(
  session: Session,
  networks: { readonly small: Model; readonly fresh: Model; readonly original: Model },
  { size, batch }: CompactionCase,
  backward: boolean,
  rounds: number,
  onRound: (done: number) => void,
): Promise<PassSpeed> {
  const generator = session.generator(SEED)
  const images = plan('images', () => rand([batch, ...size], generator), { session })()
  const passOf = (model: Model) =>
    plan(
      backward ? 'forward and backward' : 'forward',
      () => {
        const logits = model.call(use(images), { mode: backward ? 'train' : 'eval', generator })
        if (!backward) return logits.sum()
        return grad(logits.logSoftmax(1).square().mean(), model.parameters())[0]!.sum()
      },
      { session },
    )
  const runs = [networks.small, networks.fresh, networks.original].map(passOf)
  const times: number[][] = runs.map(() => [])
  for (let round = -1; round < rounds; round++) {
    for (let i = 0; i < runs.length; i++) {
      // another network comes first each time, so that a drift of the machine's speed favours none
      const which = (i + round + runs.length) % runs.length
      const seconds = await timed(() => runs[which]!().item())
      if (round >= 0) times[which]!.push(seconds)
    }
    onRound(round + 1)
  }
  const [small, fresh, original] = times as [number[], number[], number[]]
  const against = (other: readonly number[]): Spread => spreadOf(other.map((seconds, i) => seconds / small[i]!))
  return { compactSeconds: spreadOf(small), sameWidths: against(fresh), original: against(original) }
}

async function timed(body: () => Promise<unknown>): Promise<number> {
  const started = process.hrtime.bigint()
  await body()
  return Number(process.hrtime.bigint() - started) / 1e9
}
