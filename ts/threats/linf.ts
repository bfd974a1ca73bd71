/** The l-infinity ball: every pixel moves by at most epsilon, and images stay in [0, 1]. */
import type { Threat } from '../tensor/kinds'
import { expectNumber } from '../tensor/options'

export interface Options {
  /** The largest change of a pixel on the [0, 1] image scale. */
  readonly epsilon: number
  /** How epsilon is printed, such as `8/255` or `0.031`; the number itself when absent. */
  readonly notation?: string
}

export default ({ epsilon, notation = String(epsilon) }: Options) => {
  expectNumber('epsilon', epsilon, { least: 0, most: 1 })
  return {
    epsilon,
    notation,
    start: (clean, draw) => clean.add(draw.mul(2 * epsilon).sub(epsilon)),
    project: (x, clean) => x.clamp(clean.sub(epsilon), clean.add(epsilon)).clamp(0, 1),
  } satisfies Threat
}
