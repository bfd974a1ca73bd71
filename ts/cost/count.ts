/**
 * What one operation costs for one image. Two counts of multiply-adds, because both are in print:
 *
 *   multiplyAdds   convolutions and linear layers: kernel · in / groups · positions · out
 *   torchPruning   `count_ops_and_params` of Torch-Pruning (arXiv 2301.12900), which adds the biases, two for each number that a batch
 *                  norm with scale and shift normalises (one without), one for each number that a ReLU or upsampling gives, and one
 *                  for each number that a pooling reads
 *
 * Torch-Pruning sees modules only. Here an activation counts however it is written, so a network of functions costs what the same
 * network of modules does. Additions, noise, selections of channels and scaling are free in both counts.
 */
import { type SizedNode, size } from './shapes'

/** One layer or operation. */
export interface LayerCost {
  readonly id: string
  /** Dotted name of the module whose parameters it uses. */
  readonly module: string | null
  readonly kind: string
  /** Numbers that are trained. */
  readonly parameters: number
  readonly multiplyAdds: number
  readonly torchPruning: number
  /** Shape of what it gives, for one image. */
  readonly output: readonly number[]
  /** It gathers channels of its input first, which moves numbers but multiplies none. */
  readonly selects: boolean
}

const ACTIVATIONS = new Set(['relu', 'relu6', 'prelu', 'elu', 'leakyrelu', 'gelu'])
const POOLINGS = new Set(['maxpool2d', 'avgpool2d', 'adaptiveavgpool2d', 'adaptivemaxpool2d'])
const UPSAMPLINGS = new Set(['upsample', 'interpolate'])

/** The cost of one node. */
export function layerCost(sized: SizedNode): LayerCost {
  const { node, input, output, groups, selects, gone } = sized
  const { id, module, kind } = node
  const listed = { id, module, kind: node.as ?? kind, output, selects: selects || kind === 'select' }
  if (gone) return { ...listed, parameters: 0, multiplyAdds: 0, torchPruning: 0 }
  const positions = size(output.slice(2))
  switch (node.as ?? kind) {
    case 'conv': {
      const weights = size(node.kernel ?? []) * (input[1]! / groups) * output[1]!
      return {
        ...listed,
        parameters: weights + (node.bias ? output[1]! : 0),
        multiplyAdds: weights * positions,
        torchPruning: weights * positions + (node.bias ? size(output) : 0),
      }
    }
    case 'linear': {
      const [fromFeatures, toFeatures] = [input.at(-1)!, output.at(-1)!]
      const multiplyAdds = size(input) * toFeatures
      const bias = node.bias ? toFeatures : 0
      return {
        ...listed,
        parameters: fromFeatures * toFeatures + bias,
        multiplyAdds,
        torchPruning: multiplyAdds + bias,
      }
    }
    case 'norm':
      return {
        ...listed,
        parameters: node.bias ? 2 * output[1]! : 0,
        multiplyAdds: 0,
        torchPruning: (node.bias ? 2 : 1) * size(output),
      }
    default:
      return { ...listed, parameters: 0, multiplyAdds: 0, torchPruning: withoutWeights(sized) }
  }
}

function withoutWeights({ node: { kind, operation = '' }, input, output }: SizedNode): number {
  const name = operation.toLowerCase().replaceAll('_', '')
  if (ACTIVATIONS.has(name) || UPSAMPLINGS.has(name)) return size(output)
  return kind === 'mean' || POOLINGS.has(name) ? size(input) : 0
}
