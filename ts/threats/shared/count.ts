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
  readonly onProgress?: (done: number) => void
  readonly signal?: AbortSignal
}

/** The count, the last partial batch included. Throws the signal's reason when it is aborted. */
export async function countCorrect(options: CountOptions): Promise<Count> {
  const { session, model, images, labels, n, batch, attack, threat, seed, noise = true, onProgress, signal } = options
  const generator = session.generator(seed)
  const correct = session.put(new BigInt64Array(1), [])
  const network = (x: Tensor): Tensor => model.call(x, { mode: 'eval', generator, noise })
  const countBatch = (length: number) =>
    plan(
      attack === null ? 'count natural' : 'count attacked',
      (start: Tensor) => {
        const clean = use(images).narrow(0, start, length)
        const y = use(labels).narrow(0, start, length)
        const x = attack === null ? clean : craft({ attack, threat, network, clean, y, generator })
        assign(correct, use(correct).add(network(x).argmax({ dim: 1 }).eq(y).sum()))
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
    generator.free()
  }
}
