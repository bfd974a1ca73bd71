/**
 * FGSM (Goodfellow et al., arXiv 1412.6572): one sign step of size epsilon, x + epsilon * sign(gradient of the
 * cross-entropy).
 */
import type { Attack } from '../tensor/kinds'
import { expectNumber } from '../tensor/options'
import ifgsm from './ifgsm'

export interface Options {
  /** The size of the step on the [0, 1] image scale: the radius of the threat. */
  readonly epsilon: number
}

export default ({ epsilon }: Options) => {
  expectNumber('epsilon', epsilon, { least: 0, most: 1 })
  return ifgsm({ stepSize: epsilon, iterations: 1 }) satisfies Attack
}
