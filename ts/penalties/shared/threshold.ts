/** The thresholds of the proximal maps, for literals and for a lambda or gamma that changes from run to run. */
import type { Scalar } from '../../tensor/kinds'

/** a * b, a literal when both are. */
const product = (a: Scalar, b: Scalar): Scalar => {
  if (typeof a !== 'number') return a.mul(b)
  return typeof b === 'number' ? a * b : b.mul(a)
}

/** lambda * gamma: the soft threshold of an absolute value or norm. */
export const softThreshold = product

/**
 * sqrt(2 * lambda * gamma): where keeping an entry costs as much as setting it to 0. With gamma = 1 / beta, paper A's
 * sqrt(2 lambda / beta).
 */
export const hardThreshold = (lambda: Scalar, gamma: Scalar): Scalar => {
  const squared = product(product(2, lambda), gamma)
  return typeof squared === 'number' ? Math.sqrt(squared) : squared.sqrt()
}
