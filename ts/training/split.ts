/**
 * Which images are validated on and in which order the others are seen: decided here, by the seed, never on the worker.
 */
import type { TrainConfig } from './config'
import { permutation } from './random'

/** Stream 0 of the seed is the split; stream 1 + e the order of epoch e. */
const SPLIT_STREAM = 0

export interface Split {
  readonly validation: readonly number[]
  readonly training: readonly number[]
}

/** Validation images first in the seed's order, then the images to train on. */
export function splitImages(n: number, { seed, validation, images }: TrainConfig): Split {
  const order = permutation(n, seed, SPLIT_STREAM)
  const from = validation.count
  return { validation: order.slice(0, from), training: order.slice(from, images === null ? n : from + images) }
}

/** The training images in the order of an epoch (from 0). */
export function epochOrder({ training }: Split, seed: number, epoch: number): number[] {
  return permutation(training.length, seed, 1 + epoch).map((i) => training[i]!)
}
