/**
 * The random numbers that TypeScript owns: the order of the training images and the validation split.
 * xoshiro128** (Blackman & Vigna, 2018) seeded by splitmix64; a number stream is named by (seed, stream), so a resumed
 * run needs no saved state.
 */

const MASK = (1n << 64n) - 1n

/** The output function of splitmix64 after one step from `state`. */
function splitmix64(state: bigint): bigint {
  let z = (state + 0x9e3779b97f4a7c15n) & MASK
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK
  return z ^ (z >> 31n)
}

const rotate = (x: number, k: number): number => (x << k) | (x >>> (32 - k))

/** Uniform 32-bit integers from the four words of state of xoshiro128**. */
export function xoshiro128(words: readonly [number, number, number, number]): () => number {
  let [a, b, c, d] = words
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = rotate(d, 11)
    return result
  }
}

/** The number stream called (seed, stream); both are integers >= 0. */
export function randomStream(seed: number, stream: number): () => number {
  const start = splitmix64(splitmix64(BigInt(seed)) ^ BigInt(stream))
  const low = splitmix64(start)
  const high = splitmix64(low)
  const word = (x: bigint): number => Number(x & 0xffffffffn)
  return xoshiro128([word(low), word(low >> 32n), word(high), word(high >> 32n)])
}

/**
 * A uniform integer in [0, bound): draws beyond the last full multiple of `bound` are thrown away, so that none is
 * preferred.
 */
function below(bound: number, next: () => number): number {
  const limit = 2 ** 32 - (2 ** 32 % bound)
  let draw = next()
  while (draw >= limit) draw = next()
  return draw % bound
}

/** A random order of 0 .. n - 1 (Fisher-Yates). */
export function permutation(n: number, seed: number, stream: number): number[] {
  const next = randomStream(seed, stream)
  const order = Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = below(i + 1, next)
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}
