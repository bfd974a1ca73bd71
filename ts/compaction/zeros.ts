/**
 * Which channels are zero whatever the image is: those of filters without a weight and a bias, through everything that maps 0 to 0. A norm
 * does not: its shift passes the ReLU after it, which is why a zero filter alone may not be cut.
 */
import type { GraphNode, ModelGraph } from '../tensor/graph'
import { partsOf } from './classes'
import { channelsOf, type Layers } from './layers'
import { isZeroFilter } from './links'

/** Whether channel `channel` of a node's output is always zero. */
export type Zeros = (id: string, channel: number) => boolean

const KEEP = ['relu', 'pool', 'mean', 'scale', 'add', 'concat', 'flatten', 'output']

/** Follows the zeros from the filters on. */
export function zerosOf({ nodes }: ModelGraph, { narrow }: Layers): Zeros {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const zeros = new Map<string, Uint8Array>()
  for (const node of nodes) zeros.set(node.id, zerosOfNode(node))
  return (id, channel) => zeros.get(id)?.[channel] === 1

  function zerosOfNode(node: GraphNode): Uint8Array {
    const own = new Uint8Array(channelsOf(node))
    const layer = narrow.get(node.id)
    if (layer !== undefined) {
      const { links } = layer
      if (links === null) return own
      const below = zeros.get(node.inputs[0]!)!
      return own.map((_, o) => (isZeroFilter(links, o, (i) => below[i] === 1) ? 1 : 0))
    }
    const parts = partsOf(node, byId)
    if (parts === null || !KEEP.includes(node.kind) || (node.kind === 'relu' && node.zero !== true)) return own
    // Every input that reaches a channel has to be zero there.
    const some = new Uint8Array(own.length)
    for (const { id, at, repeat } of parts)
      zeros.get(id)!.forEach((zero, c) => {
        if (zero === 0) some.fill(1, at + c * repeat, at + (c + 1) * repeat)
      })
    return own.map((_, channel) => 1 - some[channel]!)
  }
}
