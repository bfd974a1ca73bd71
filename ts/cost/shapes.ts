/**
 * The shapes of a network whose channels were removed: a traced graph and what stays of each layer. Only how many channels stay
 * matters for the cost, not which.
 */
import type { GraphNode, LayerWidths, ModelGraph, Widths } from '../tensor/graph'

/** One operation of the smaller network. */
export interface SizedNode {
  readonly node: GraphNode
  /** Of its first input and of its output, for one image. */
  readonly input: readonly number[]
  readonly output: readonly number[]
  /** How many groups its convolution still has. */
  readonly groups: number
  /** It gathers channels of its input first. */
  readonly selects: boolean
  /** Nothing of it is left: zeros took its place, or nobody reads it any more. */
  readonly gone: boolean
}

/** The nodes in order with their new shapes; those of the graph itself without `widths`. */
export function sizedNodes({ nodes }: ModelGraph, widths?: Widths): SizedNode[] {
  const layers = merged(widths)
  const known = new Set(nodes.map(({ module }) => module))
  for (const name of Object.keys(layers))
    if (!known.has(name)) throw new RangeError(`Expected \`widths\` to name layers of the graph, got \`${name}\``)
  const gone = goneNodes(nodes, layers)
  const outputs = new Map<string, readonly number[]>()
  return nodes.map((node) => {
    const width = node.module === null ? undefined : layers[node.module]
    const inputs = node.inputs.map((id) => {
      const shape = outputs.get(id)
      if (shape === undefined)
        throw new RangeError(`Expected the nodes of the graph in order, got \`${node.id}\` before its input \`${id}\``)
      return shape
    })
    // A branch that is gone says nothing about the width of the sum.
    const alive = inputs.filter((_, i) => !gone.has(node.inputs[i]!))
    const first = alive[0] ?? inputs[0] ?? node.shape
    const input = width?.select === true ? channels(first, (width.in ?? width.out ?? []).length) : first
    const output = outputShape(node, input, inputs, width)
    outputs.set(node.id, output)
    const { groups = 1 } = node
    const depthwise = groups > 1 && node.kind === 'conv' && groups === node.shape[1]
    return {
      node,
      input,
      output,
      groups: depthwise ? input[1]! : groups,
      selects: width?.select === true,
      gone: gone.has(node.id),
    }
  })
}

/** What finally stays of each layer, when a second plan was made for the network that the first one gave. */
function merged(widths?: Widths): Record<string, LayerWidths> {
  if (widths === undefined) return {}
  const all: Record<string, LayerWidths> = { ...widths.layers }
  for (const [name, later] of Object.entries(merged(widths.then))) all[name] = { ...all[name], ...later }
  return all
}

/** Zeroed layers, and everything that only they read. */
function goneNodes(nodes: readonly GraphNode[], layers: Readonly<Record<string, LayerWidths>>): Set<string> {
  const gone = new Set<string>()
  const readers = new Map<string, string[]>()
  for (const { id, inputs } of nodes)
    for (const input of inputs) readers.set(input, [...(readers.get(input) ?? []), id])
  for (const { id, kind, module, operation } of [...nodes].reverse()) {
    const reading = readers.get(id) ?? []
    const unread = reading.length > 0 && reading.every((reader) => gone.has(reader))
    const zeroed = (module !== null && layers[module]?.zero === true) || operation === 'Zeros'
    if (zeroed || (unread && kind !== 'input')) gone.add(id)
  }
  return gone
}

const channels = (shape: readonly number[], count: number): readonly number[] => [shape[0]!, count, ...shape.slice(2)]

function outputShape(
  { kind, shape }: GraphNode,
  input: readonly number[],
  inputs: readonly (readonly number[])[],
  width: LayerWidths | undefined,
): readonly number[] {
  switch (kind) {
    case 'conv':
      return channels(shape, width?.out?.length ?? shape[1]!)
    case 'linear':
      return [...shape.slice(0, -1), width?.out?.length ?? shape.at(-1)!]
    case 'norm':
      return channels(shape, width?.out?.length ?? input[1]!)
    case 'concat':
      return channels(
        shape,
        inputs.reduce((sum, one) => sum + one[1]!, 0),
      )
    case 'flatten':
      return [1, size(input.slice(1))]
    case 'relu':
    case 'pool':
    case 'mean':
    case 'add':
    case 'noise':
    case 'scale':
      return channels(shape, input[1]!)
    case 'input':
    case 'select':
    case 'output':
    case 'opaque':
      return shape
  }
}

/** How many numbers a tensor of this shape holds. */
export const size = (shape: readonly number[]): number => shape.reduce((product, one) => product * one, 1)
