/** What a network costs: parameters, multiply-adds in two counts, bytes and memory of activations, from its traced graph alone. */
import type { ModelGraph, Widths } from '../tensor/graph'
import { type LayerCost, layerCost } from './count'
import { type SizedNode, size, sizedNodes } from './shapes'

export type { LayerCost } from './count'

/** Sums over all members of an ensemble, for one image. */
export interface Cost {
  /** Numbers that are trained. */
  readonly parameters: number
  /** Of convolutions and linear layers. */
  readonly multiplyAdds: number
  /** As Torch-Pruning counts them: biases, batch norm twice, activations and pooling are in it. */
  readonly torchPruning: number
  /** Of the parameters as float32. */
  readonly bytes: number
  /** Of those parameters that are not zero, without their positions; null where nobody has counted them. */
  readonly nonZeroBytes: number | null
  /** The most that lives at once in a pass without gradients, float32, nothing in place; parameters not included. */
  readonly peakActivationBytes: number
  /** Operations that tracing does not understand: id and reason. What they cost is in no sum. */
  readonly uncounted: readonly string[]
  /** In the order in which they run; what costs nothing is listed too. */
  readonly layers: readonly LayerCost[]
}

/** Options of `cost`. */
export interface CostOptions {
  /** What stays of each layer: the cost is that of the smaller network. */
  readonly widths?: Widths
  /** How many parameters are not zero, as `sparsity` counts them. */
  readonly nonZero?: number
}

const FLOAT32 = 4

/**
 * Counts a network from its graph (`model.graph`), or the smaller one that `widths` make of it, without running anything.
 * @throws RangeError for widths of layers that the graph does not have
 */
export function cost(graph: ModelGraph, { widths, nonZero }: CostOptions = {}): Cost {
  const sized = sizedNodes(graph, widths)
  const seen = new Set<string>()
  const layers = sized.map((node) => {
    const counted = layerCost(node)
    if (counted.module === null) return counted
    // Weights that are used in two places exist once.
    const again = seen.has(counted.module)
    seen.add(counted.module)
    return again ? { ...counted, parameters: 0 } : counted
  })
  const sum = (key: 'parameters' | 'multiplyAdds' | 'torchPruning'): number =>
    layers.reduce((total, layer) => total + layer[key], 0)
  const parameters = sum('parameters')
  return {
    parameters,
    multiplyAdds: sum('multiplyAdds'),
    torchPruning: sum('torchPruning'),
    bytes: FLOAT32 * parameters,
    nonZeroBytes: nonZero === undefined ? null : FLOAT32 * nonZero,
    peakActivationBytes: FLOAT32 * peak(sized),
    uncounted: sized
      .filter(({ node, gone }) => node.kind === 'opaque' && node.as === undefined && !gone)
      .map(({ node }) => `${node.id}: ${node.why ?? 'not understood'}`),
    layers,
  }
}

/** The most numbers that are alive at once: a tensor lives from its node to its last reader. */
function peak(sized: readonly SizedNode[]): number {
  const alive = sized.filter(({ gone }) => !gone)
  const last = new Map<string, number>()
  alive.forEach(({ node }, i) => node.inputs.forEach((id) => last.set(id, i)))
  const held = new Map<string, number>()
  let most = 0
  alive.forEach(({ node, output }, i) => {
    // The output is a name for what is already there.
    held.set(node.id, node.kind === 'output' ? 0 : size(output))
    most = Math.max(
      most,
      [...held.values()].reduce((a, b) => a + b, 0),
    )
    for (const id of [...node.inputs, node.id]) if ((last.get(id) ?? i) <= i) held.delete(id)
  })
  return most
}
