/**
 * PGD (Madry et al., arXiv 1706.06083): IFGSM from a uniformly random point of the ball. Training attack of paper A:
 * step 0.007, 10 iterations.
 */
import type { Attack } from '../tensor/kinds'
import ifgsm, { type Options as StepOptions } from './ifgsm'

export interface Options extends StepOptions {
  /** Start in the ball (default) or at the clean image. */
  readonly randomStart?: boolean
}

export default ({ randomStart = true, ...options }: Options) =>
  ({ ...ifgsm(options), start: randomStart ? 'random' : 'clean' }) satisfies Attack
