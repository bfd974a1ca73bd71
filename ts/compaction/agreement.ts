/** Whether two networks give the same logits: with noise under generators of the same seed, and without. */
import { use } from '../tensor/functions'
import type { Model } from '../tensor/model'
import { plan } from '../tensor/plan'
import type { DeviceTensor } from '../tensor/device_tensor'
import type { Session } from '../tensor/session'

/** Removing zeros is exact in mathematics; float32 kernels may add in another order. Relative to the largest logit. */
export const TOLERANCE = 1e-5

/** How far the logits of two networks are apart. */
export interface Agreement {
  readonly noise: boolean
  readonly images: number
  /** The largest difference of two logits. */
  readonly maxDifference: number
  /** The largest logit of the first network, without its sign. */
  readonly maxLogit: number
  /** Images with another answer. */
  readonly otherAnswers: number
  /** Images with another answer although the two logits in question differ by more than the tolerance. */
  readonly wrongAnswers: number
  /** No wrong answer, and no difference above the tolerance. */
  readonly agree: boolean
}

/** What is compared. */
export interface AgreementOptions {
  readonly session: Session
  readonly before: Model
  readonly after: Model
  /** `[n, channels, height, width]`, passed as one batch. */
  readonly images: DeviceTensor
  readonly seed: number
  readonly tolerance?: number
}

/** Compares in evaluation mode, with noise on and off. */
export async function agreement(options: AgreementOptions): Promise<Agreement[]> {
  const found: Agreement[] = []
  for (const noise of [true, false]) found.push(await compare(options, noise))
  return found
}

async function compare(
  { session, before, after, images, seed, tolerance = TOLERANCE }: AgreementOptions,
  noise: boolean,
): Promise<Agreement> {
  const generators = [session.generator(seed), session.generator(seed)] as const
  const logits = plan(
    'compare logits',
    () => {
      const x = use(images)
      const [a, b] = [before, after].map((model, i) => model.call(x, { mode: 'eval', generator: generators[i], noise }))
      const [first, second] = [a!.argmax({ dim: 1, keepdim: true }), b!.argmax({ dim: 1, keepdim: true })]
      const largest = a!.abs().amax()
      const margin = a!.gather(1, first).sub(a!.gather(1, second))
      const other = first.ne(second)
      return [
        a!.sub(b!).abs().amax(),
        largest,
        other.sum(),
        other.logicalAnd(margin.gt(largest.mul(tolerance))).sum(),
        x.size(0),
      ]
    },
    { session },
  )
  const results = logits()
  const [maxDifference, maxLogit, otherAnswers, wrongAnswers, n] = (await session.items(results)) as [
    number,
    number,
    number,
    number,
    number,
  ]
  for (const handle of [...results, ...generators]) handle.free()
  // Written so that NaN does not agree.
  const agree = wrongAnswers === 0 && maxDifference <= tolerance * Math.max(maxLogit, Number.MIN_VALUE)
  return { noise, images: n, maxDifference, maxLogit, otherAnswers, wrongAnswers, agree }
}
