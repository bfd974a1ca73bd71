/**
 * Natural and robust accuracy as counts: evaluation mode, a random network's noise on and drawn afresh in every pass,
 * inside the attack and for the answer (papers A to C). Whole-tensor noise depends on the batch: the papers take 100.
 */
import type { Attack, Threat } from '../tensor/kinds'
import { expectNumber } from '../tensor/options'
import { pickImages } from '../tensor/pick'
import type { DeviceTensor } from '../tensor/device_tensor'
import type { Model } from '../tensor/model'
import type { Session } from '../tensor/session'
import { countCorrect, type Count } from '../threats/shared/count'

export type { Count }

/** What is attacked, by what, and on which images. */
export interface EvaluateOptions {
  readonly session: Session
  readonly model: Model
  /** Images `[n, channels, height, width]` in [0, 1] and labels `[n]`. */
  readonly data: { readonly images: DeviceTensor; readonly labels: DeviceTensor; readonly n: number }
  readonly attacks: Readonly<Record<string, Attack>>
  readonly threat: Threat
  readonly batch?: number
  /** How many images, evenly spread over the split, since some are sorted by class; all when absent. */
  readonly limit?: number | null
  readonly seed: number
  readonly noise?: boolean
  /**
   * Attacks that start at random are run that many times, and an image is right when it is right after each of them.
   * A random network answers each time with fresh noise, so restarts also lower its count by chance.
   */
  readonly restarts?: number
  readonly onProgress?: (progress: { readonly attack: string; readonly done: number; readonly total: number }) => void
  readonly signal?: AbortSignal
}

/** Right answers as counts, by attack. */
export interface Evaluation {
  readonly natural: Count
  readonly attacks: Record<string, Count>
}

/**
 * Right answers on clean images (`natural`) and under each attack. Each pass has its own generator, so a number does
 * not depend on the other attacks.
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { session, model, data, attacks, threat, batch = 100, limit, seed, onProgress, signal } = options
  const { noise = true, restarts = 1 } = options
  expectNumber('batch', batch, { least: 1, integer: true })
  expectNumber('restarts', restarts, { least: 1, integer: true })
  const n = limit == null ? data.n : expectNumber('limit', limit, { least: 1, most: data.n, integer: true })
  const chosen = n < data.n ? spread(session, data, n) : data
  const count = (name: string, attack: Attack | null): Promise<Count> =>
    countCorrect({
      ...{
        session,
        model,
        images: chosen.images,
        labels: chosen.labels,
        n,
        batch,
        attack,
        threat,
        seed,
        noise,
        signal,
      },
      restarts: attack?.start === 'random' ? restarts : 1,
      onProgress: (done) => onProgress?.({ attack: name, done, total: n }),
    })
  try {
    const natural = await count('natural', null)
    const robust: Record<string, Count> = {}
    for (const [name, attack] of Object.entries(attacks)) robust[name] = await count(name, attack)
    return { natural, attacks: robust }
  } finally {
    if (chosen !== data) for (const handle of [chosen.images, chosen.labels]) handle.free()
  }
}

/** Every (data.n / n)-th image with its label, as tensors of their own. */
function spread(
  session: Session,
  data: EvaluateOptions['data'],
  n: number,
): Pick<EvaluateOptions['data'], 'images' | 'labels'> {
  const positions = Array.from({ length: n }, (_, i) => Math.floor((i * data.n) / n))
  return pickImages(session, data, positions)
}
