/**
 * Channels that can only go together. Every channel of every node's output is an element; operations without parameters make elements the
 * same: an addition those of all its inputs (residual streams and downsample paths), a concatenation shifts, flattening joins a channel
 * with its block of features. Convolutions, linear layers and norms end a class.
 */
import type { GraphNode, ModelGraph } from '../tensor/graph'
import { channelsOf, type Layers } from './layers'

/** Why a class keeps its channels whatever reads them. */
export interface Pin {
  readonly kind: 'image' | 'result' | 'noise' | 'other'
  readonly why: string
}

/** The classes of a graph. */
export interface Classes {
  /** How many channels all nodes have together. */
  readonly size: number
  /** The class of channel `channel` of a node's output. */
  of(id: string, channel: number): number
  /** How many channels a node's output has. */
  channels(id: string): number
  /** The reasons for which a class stays. */
  pins(of: number): readonly Pin[]
}

const SAME = ['relu', 'pool', 'mean', 'scale', 'noise', 'output']
const IMAGE: Pin = { kind: 'image', why: 'the image' }
const RESULT: Pin = { kind: 'result', why: 'the result' }
const NOISE: Pin = {
  kind: 'noise',
  why: 'noise is drawn in the shape of this tensor, with the standard deviation of all of it',
}

/** Joins the channels that can only go together. */
export function classesOf({ nodes }: ModelGraph, { narrow, fixed }: Layers): Classes {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const first = new Map<string, number>()
  let size = 0
  for (const node of nodes) {
    first.set(node.id, size)
    size += channelsOf(node)
  }
  const count = (id: string): number => channelsOf(byId.get(id)!)
  const parent = Int32Array.from({ length: size }, (_, i) => i)
  const root = (element: number): number => {
    let at = element
    while (parent[at] !== at) at = parent[at] = parent[parent[at]!]!
    return at
  }
  const element = (id: string, channel: number): number => first.get(id)! + channel
  const join = (a: number, b: number): void => {
    parent[root(a)] = root(b)
  }
  const pinned: { id: string; pin: Pin }[] = []
  for (const node of nodes) {
    if (narrow.has(node.id)) continue
    const pin = pinOf(node, nodes, fixed)
    const joined = partsOf(node, byId)
    if (joined !== null)
      for (const { id, at, repeat } of joined)
        for (let c = 0; c < count(id); c++)
          for (let r = 0; r < repeat; r++) join(element(node.id, at + c * repeat + r), element(id, c))
    if (pin !== null || joined === null) {
      const why = pin ?? { kind: 'other', why: `${node.kind} ${node.id} does not keep channels apart` }
      const own = node.kind === 'select' ? [] : [node.id]
      for (const id of [...own, ...node.inputs]) pinned.push({ id, pin: why })
    }
  }
  const pins = new Map<number, Pin[]>()
  for (const { id, pin } of pinned)
    for (let c = 0; c < count(id); c++) {
      const list = pins.get(root(element(id, c))) ?? []
      if (!list.some(({ why }) => why === pin.why)) list.push(pin)
      pins.set(root(element(id, c)), list)
    }
  return {
    size,
    of: (id, channel) => root(element(id, channel)),
    channels: count,
    pins: (of) => pins.get(of) ?? [],
  }
}

function pinOf(node: GraphNode, nodes: readonly GraphNode[], fixed: ReadonlyMap<string, string>): Pin | null {
  if (node.kind === 'input') return IMAGE
  if (node.kind === 'output') return RESULT
  if (node.kind === 'noise') return NOISE
  // What a layer of a compacted network selects from stays as it is.
  if (node.kind === 'select') {
    const reader = nodes.find(({ inputs }) => inputs.includes(node.id))
    return { kind: 'other', why: `channels are selected from it for ${reader?.module ?? node.id}` }
  }
  if (node.kind === 'opaque') return { kind: 'other', why: node.why ?? `${node.id} is not understood` }
  const why = fixed.get(node.id)
  return why === undefined ? null : { kind: 'other', why }
}

/**
 * For each input: from which channel of the node's output on its channels are, and how many each of them becomes. Empty where a node only
 * pins; null for a node that does not keep channels apart.
 */
export function partsOf(
  node: GraphNode,
  byId: ReadonlyMap<string, GraphNode>,
): readonly { readonly id: string; readonly at: number; readonly repeat: number }[] | null {
  const { kind, shape } = node
  const own = channelsOf(node)
  const inputs = node.inputs.map((id) => byId.get(id)!)
  if (SAME.includes(kind) || kind === 'add' || (kind === 'concat' && !alongChannels(node))) {
    const alike = inputs.every((input) => kind === 'mean' || input.shape.length === shape.length)
    if (inputs.length === 0 || !alike || inputs.some((input) => channelsOf(input) !== own)) return null
    return inputs.map(({ id }) => ({ id, at: 0, repeat: 1 }))
  }
  if (kind === 'concat') {
    let next = 0
    const parts = inputs.map((input) => {
      const at = next
      next += channelsOf(input)
      return { id: input.id, at, repeat: 1 }
    })
    return next === own ? parts : null
  }
  if (kind === 'flatten') {
    const [input] = inputs
    const repeat = input === undefined ? 0 : own / channelsOf(input)
    return input !== undefined && repeat >= 1 && Number.isInteger(repeat) ? [{ id: input.id, at: 0, repeat }] : null
  }
  return []
}

const alongChannels = ({ dim = 1, shape }: GraphNode): boolean => (dim < 0 ? dim + shape.length : dim) === 1
