/** Which weights of a layer are not zero, by pairs of channels: all that channel removal needs to know about numbers. */

/** The pairs of a convolution or linear layer. */
export interface LayerLinks {
  readonly outputs: number
  /** Input channels of one group. */
  readonly inputs: number
  /** `[outputs, inputs]` in row-major order: 1 where any weight between the two channels is not exactly 0. */
  readonly joined: Uint8Array
  /** By output channel: 1 where the bias is not exactly 0; null without a bias. */
  readonly bias: Uint8Array | null
}

/** By the module's name. */
export type Links = ReadonlyMap<string, LayerLinks>

/** Whether output channel `o` is zero whatever the image is: no bias, and no weight on an input channel that may differ from 0. */
export function isZeroFilter(links: LayerLinks, o: number, isZeroInput: (i: number) => boolean): boolean {
  const { inputs, joined, bias } = links
  if (bias !== null && bias[o] !== 0) return false
  for (let i = 0; i < inputs; i++) if (joined[o * inputs + i] === 1 && !isZeroInput(i)) return false
  return true
}
