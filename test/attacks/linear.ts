/** A linear classifier over images `[batch, 1, 2, 3]`, on which every attack has an answer in closed form. */
import type { Network } from '../../ts/tensor/kinds'
import type { Session } from '../../ts/tensor/session'
import { uniform } from '../support/draws'

export const PIXELS = 6
export const BATCH = 8
export const SHAPE = [BATCH, 1, 2, 3]

export interface Linear {
  readonly network: Network
  /** Logits of one image. */
  logits(x: readonly number[]): number[]
  /** W[pixel][class]. */
  readonly weights: readonly (readonly number[])[]
  readonly images: readonly (readonly number[])[]
  readonly labels: readonly number[]
}

/** Two classes with random weights, random images in [0, 1] and random labels. */
export function linear(session: Session, seed: number): Linear {
  const flat = Array.from(uniform(seed, PIXELS * 2, -2, 2))
  const weights = Array.from({ length: PIXELS }, (_, i) => flat.slice(2 * i, 2 * i + 2))
  const matrix = session.put(Float32Array.from(flat), [PIXELS, 2])
  const pixels = Array.from(uniform(seed + 100, BATCH * PIXELS, 0, 1))
  return {
    network: (x) => x.flatten({ startDim: 1 }).matmul(matrix),
    logits: (x) => [0, 1].map((k) => x.reduce((sum, pixel, i) => sum + pixel * weights[i]![k]!, 0)),
    weights,
    images: Array.from({ length: BATCH }, (_, b) => pixels.slice(b * PIXELS, (b + 1) * PIXELS)),
    labels: Array.from(uniform(seed + 200, BATCH, 0, 2), Math.floor),
  }
}
