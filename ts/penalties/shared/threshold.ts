/** The thresholds of the proximal maps, for a literal gamma and for one that changes from run to run. */
import type { Scalar } from '../../tensor/kinds'

/** lambda * gamma: the soft threshold of an absolute value or norm. */
export const softThreshold = (lambda: number, gamma: Scalar): Scalar =>
  typeof gamma === 'number' ? lambda * gamma : gamma.mul(lambda)

/**
 * sqrt(2 * lambda * gamma): where keeping an entry costs as much as setting it to 0. With gamma = 1 / beta, paper A's
 * sqrt(2 lambda / beta).
 */
export const hardThreshold = (lambda: number, gamma: Scalar): Scalar =>
  typeof gamma === 'number' ? Math.sqrt(2 * lambda * gamma) : gamma.mul(2 * lambda).sqrt()
