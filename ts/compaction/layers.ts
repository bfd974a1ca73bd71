/** The nodes that channels enter and leave separately: what can be narrowed, and why the others cannot. */
import type { GraphNode, ModelGraph } from '../tensor/graph'
import type { LayerLinks, Links } from './links'

/** Channels (features) of a node's output. */
export const channelsOf = ({ shape }: GraphNode): number => shape[1] ?? 1

/**
 * A layer that can be narrowed. `dense` joins channels by its links; `diagonal` (a norm, a depthwise convolution) has as many outputs as
 * inputs and keeps them apart.
 */
export type Layer = {
  readonly node: GraphNode
  readonly module: string
  /** Whether it selects channels of its input, in a network that was compacted before. */
  readonly selected: boolean
} & ({ readonly kind: 'dense'; readonly links: LayerLinks } | { readonly kind: 'diagonal'; readonly links: null })

/** The layers by the id of their node, and the reasons why other layers keep all their channels. */
export interface Layers {
  readonly narrow: ReadonlyMap<string, Layer>
  readonly fixed: ReadonlyMap<string, string>
}

const KINDS = ['conv', 'norm', 'linear']

/** Sorts the nodes that have parameters. */
export function layersOf({ nodes }: ModelGraph, links: Links): Layers {
  const uses = new Map<string, number>()
  for (const { module } of nodes) if (module !== null) uses.set(module, (uses.get(module) ?? 0) + 1)
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const narrow = new Map<string, Layer>()
  const fixed = new Map<string, string>()
  for (const node of nodes.filter(({ kind }) => KINDS.includes(kind))) {
    const input = byId.get(node.inputs[0] ?? '')
    const found = layerOf(node, input, links, uses)
    if (typeof found === 'string') fixed.set(node.id, found)
    else narrow.set(node.id, found)
  }
  return { narrow, fixed }
}

function layerOf(
  node: GraphNode,
  input: GraphNode | undefined,
  links: Links,
  uses: ReadonlyMap<string, number>,
): Layer | string {
  const { module, kind, groups = 1 } = node
  if (module === null || input === undefined) return `${kind} ${node.id} is not a module`
  if ((uses.get(module) ?? 0) > 1) return `${module} is used in more than one place`
  const [inputs, outputs] = [channelsOf(input), channelsOf(node)]
  const base = { node, module, selected: input.kind === 'select' }
  const diagonal = { ...base, kind: 'diagonal', links: null } as const
  if (kind === 'norm') return inputs === outputs ? diagonal : `${module} normalises something else than channels`
  if (groups > 1) return groups === inputs && inputs === outputs ? diagonal : `${module} is a grouped convolution`
  const own = links.get(module)
  if (own === undefined) return `${module} shares its weights with another layer`
  return own.inputs === inputs && own.outputs === outputs
    ? { ...base, kind: 'dense', links: own }
    : `${module} reads something else than channels`
}
