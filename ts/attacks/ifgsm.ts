/**
 * IFGSM (Kurakin et al., arXiv 1607.02533): x <- x + stepSize * sign(gradient of the cross-entropy), from the clean
 * image.
 * IFGSM20 of paper A: step 0.007, 20 iterations, epsilon 0.031.
 */
import type { Attack } from '../tensor/kinds'
import { expectNumber } from '../tensor/options'

export interface Options {
  /** The change of a pixel in one iteration, on the [0, 1] image scale. */
  readonly stepSize: number
  readonly iterations: number
}

export default ({ stepSize, iterations }: Options) => {
  expectNumber('stepSize', stepSize, { least: 0, most: 1 })
  expectNumber('iterations', iterations, { least: 1, integer: true })
  return {
    iterations,
    start: 'clean',
    within: 'threat',
    step: (x, gradient) => x.add(gradient.sign().mul(stepSize)),
  } satisfies Attack
}
