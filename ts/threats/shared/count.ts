/**
 * Counts the right answers of a network on a list of images, clean or attacked, batch by batch on the worker; one
 * number comes home.
 */
import { assign, use } from '../../tensor/functions'
import type { Attack, Threat } from '../../tensor/kinds'
import { inPace } from '../../tensor/pace'
import { int, plan } from '../../tensor/plan'
import type { DeviceTensor } from '../../tensor/device_tensor'
import type { Model } from '../../tensor/model'
import type { Session } from '../../tensor/session'
import type { Tensor } from '../../tensor/tensor'
import { craft } from './craft'

/** Right answers among n images. */
export interface Count {
  readonly correct: number
  readonly n: number
}

export interface CountOptions {
  readonly session: Session
  /** Called in evaluation mode. */
  readonly model: Model
  /** Images `[n, channels, height, width]` in [0, 1]. */
  readonly images: DeviceTensor
  /** Labels `[n]`, int64. */
  readonly labels: DeviceTensor
  /** How many of the images, from the first. */
  readonly n: number
  readonly batch: number
  /** Null counts on the clean images. */
  readonly attack: Attack | null
  readonly threat: Threat
  /** Seed of the random starts and of the network's noise. */
  readonly seed: number
  /** Whether a random network draws noise, fresh in every pass, inside the attack and for the answer. */
  readonly noise?: boolean
  /** An image counts as right when it is right after each of that many attacks; 1 when absent. */
  readonly restarts?: number
  readonly onProgress?: (done: number) => void
  readonly signal?: AbortSignal
}

/**
 * The seed of a restart: the first is that of a single run, so more restarts never raise a count. A stride of the golden
 * ratio keeps the others away from the restarts of neighbouring seeds; torch's CPU generator looks at 32 bits only.
 */
const seedOf = (seed: number, restart: number): number =>
  restart === 0 ? seed : (seed + restart * 0x9e3779b9) % 2 ** 32

/** The count, the last partial batch included. Throws the signal's reason when it is aborted. */
export async function countCorrect(options: CountOptions): Promise<Count> {
  const { session, model, images, labels, n, batch, attack, threat, seed, onProgress, signal } = options
  const { noise = true, restarts = 1 } = options
  const generators = Array.from({ length: restarts }, (_, restart) => session.generator(seedOf(seed, restart)))
  const correct = session.put(new BigInt64Array(1), [])
  const countBatch = (length: number) =>
    plan(
      attack === null ? 'count natural' : 'count attacked',
      (start: Tensor) => {
        const clean = use(images).narrow(0, start, length)
        const y = use(labels).narrow(0, start, length)
        const right = generators.map((generator) => {
          const network = (x: Tensor): Tensor => model.call(x, { mode: 'eval', generator, noise })
          const x = attack === null ? clean : craft({ attack, threat, network, clean, y, generator })
          return network(x).argmax({ dim: 1 }).eq(y)
        })
        assign(correct, use(correct).add(right.reduce((all, one) => all.logicalAnd(one)).sum()))
      },
      { session },
    )
  try {
    const full = countBatch(batch)
    await inPace(
      session,
      Math.ceil(n / batch),
      (i) => {
        const start = i * batch
        if (start + batch <= n) full(int(start))
        else countBatch(n - start)(int(start))
      },
      { onDone: (done) => onProgress?.(Math.min(done * batch, n)), signal },
    )
    return { correct: await correct.item(), n }
  } finally {
    correct.free()
    for (const generator of generators) generator.free()
  }
}
