/** Runs an attack on the linear classifier and reads the images back. */
import type { Attack, Threat } from '../../ts/tensor/kinds'
import { plan } from '../../ts/tensor/plan'
import type { Session } from '../../ts/tensor/session'
import type { Tensor } from '../../ts/tensor/tensor'
import { craft } from '../../ts/threats/shared/craft'
import { numbers } from '../support/worker'
import { BATCH, PIXELS, SHAPE, type Linear } from './linear'

export interface Run {
  readonly session: Session
  readonly model: Linear
  readonly attack: Attack
  readonly threat: Threat
  readonly seed?: number
  readonly clampStart?: boolean
}

export async function attacked({ session, model, attack, threat, seed = 0, clampStart }: Run): Promise<number[][]> {
  const generator = session.generator(seed)
  const run = plan(
    'attack',
    (clean: Tensor, y: Tensor) => craft({ attack, threat, network: model.network, clean, y, generator, clampStart }),
    { session },
  )
  const clean = session.put(Float32Array.from(model.images.flat()), SHAPE)
  const y = session.put(BigInt64Array.from(model.labels, BigInt), [BATCH])
  const flat = await numbers(run(clean, y))
  expect(await numbers(clean)).toEqual(model.images.flat())
  return Array.from({ length: BATCH }, (_, b) => flat.slice(b * PIXELS, (b + 1) * PIXELS))
}
