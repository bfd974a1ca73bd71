/** Reproducible numbers for tests. */
import { randomStream } from '../../ts/training/random'

/** Uniform numbers in [low, high), float32. */
export function uniform(seed: number, n: number, low: number, high: number): Float32Array {
  const next = randomStream(seed, 0)
  return Float32Array.from({ length: n }, () => low + ((high - low) * next()) / 2 ** 32)
}
