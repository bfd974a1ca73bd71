/** What a removal took and what stayed, as data: plain JSON. */
import type { ModelGraph } from '../tensor/graph'
import { type ChannelGroup, groupsOf } from './groups'
import type { Layer } from './layers'
import type { Removal } from './removal'

/** A number before and after. */
export interface Change {
  readonly before: number
  readonly after: number
}

/** A layer that became smaller. */
export interface LayerReport {
  readonly module: string
  readonly kind: 'conv' | 'norm' | 'linear'
  readonly inputs: Change
  readonly outputs: Change
  /** It selects its channels from a tensor that stayed wider. */
  readonly selects: boolean
  /** Zeros took its place. */
  readonly zero: boolean
}

/** What stayed although its weights are zero. */
export interface Stays {
  readonly what: string
  readonly why: string
}

/** What was removed. */
export interface RemovalReport {
  /** Input channels of all convolutions, the denominator of the papers; a layer that zeros replaced has none. */
  readonly inputChannels: Change
  /** Layers that changed, in the order of the network. */
  readonly layers: readonly LayerReport[]
  /** Convolutions whose output is zero for every image: the branch that ends there is dead. */
  readonly dead: readonly string[]
  /** Layers that nobody reads any more: they fed dead branches only. */
  readonly unread: readonly string[]
  /** Layers whose output is the same for every image: their biases. The last layer of a dead member is one. */
  readonly constant: readonly string[]
  readonly groups: readonly ChannelGroup[]
  readonly stays: readonly Stays[]
}

/** Describes a removal. */
export function reportOf(graph: ModelGraph, removal: Removal): RemovalReport {
  const { layers, needs, zeros } = removal
  const all = [...layers.narrow.values()].map((layer) => [layer, entryOf(layer, removal)] as const)
  const convolutions = all.filter(([{ node }]) => node.kind === 'conv').map(([, entry]) => entry)
  const groups = groupsOf(graph, removal)
  const live = all.filter(([{ node, kind }, { zero }]) => kind === 'dense' && !zero && !needs.isUnread(node.id))
  const constant = live.filter(([layer]) => needs.inputsOf(layer).length === 0).map(([{ module }]) => module)
  const zeroFilters = live
    .filter(([{ node }]) => node.kind === 'conv')
    .reduce((sum, [{ node }]) => sum + needs.kept(node.id).filter((o) => zeros(node.id, o)).length, 0)
  return {
    inputChannels: {
      before: sum(convolutions.map(({ inputs }) => inputs.before)),
      after: sum(convolutions.map(({ inputs, zero }) => (zero ? 0 : inputs.after))),
    },
    layers: all.map(([, entry]) => entry).filter(changed),
    dead: all.filter(([{ node }, { zero }]) => zero && !needs.isUnread(node.id)).map(([{ module }]) => module),
    unread: all.filter(([{ node }]) => needs.isUnread(node.id)).map(([{ module }]) => module),
    constant,
    groups,
    stays: [
      ...groups.flatMap(idleOf),
      ...constant.flatMap((module) => noiseBefore(graph, module)),
      ...(zeroFilters === 0
        ? []
        : [{ what: filters(zeroFilters), why: 'something reads them: after a norm a zero is its shift' }]),
      ...[...layers.fixed].map(([id, why]) => ({ what: moduleOf(graph, id), why })),
    ],
  }
}

function entryOf(layer: Layer, { widths, needs }: Removal): LayerReport {
  const { node, module } = layer
  const [first, second] = [widths.layers[module], widths.then?.layers[module]]
  const input = node.inputs[0]!
  const outputs = needs.kept(node.id).length
  const read = second?.in ?? first?.in
  const inputs = node.kind === 'norm' ? outputs : (read?.length ?? needs.classes.channels(input))
  return {
    module,
    kind: node.kind as 'conv' | 'norm' | 'linear',
    inputs: { before: needs.classes.channels(input), after: inputs },
    outputs: { before: needs.classes.channels(node.id), after: outputs },
    selects: first?.select === true || second?.select === true,
    zero: first?.zero === true,
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
const filters = (n: number): string => (n === 1 ? '1 zero filter' : `${n} zero filters`)
const moduleOf = ({ nodes }: ModelGraph, id: string): string => nodes.find((node) => node.id === id)?.module ?? id

const changed = ({ inputs, outputs, zero }: LayerReport): boolean =>
  zero || inputs.after < inputs.before || outputs.after < outputs.before

function idleOf({ idle, makers, because }: ChannelGroup): Stays[] {
  const why = because.filter((reason) => reason !== 'the image')
  if (idle === 0 || why.length === 0 || because.includes('the result')) return []
  return [
    {
      what: `${idle} channel${idle === 1 ? '' : 's'} of ${makers.join(', ')} that no layer reads`,
      why: why.join('; '),
    },
  ]
}

/** What feeds a constant layer stays where it draws noise: later draws of the same generator would be others. */
function noiseBefore({ nodes }: ModelGraph, module: string): Stays[] {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const seen = new Set<string>()
  const waiting = nodes.filter((node) => node.module === module).map(({ id }) => id)
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (seen.has(id)) continue
    seen.add(id)
    const node = byId.get(id)!
    if (node.kind === 'noise')
      return [
        { what: `what feeds ${module}, whose output is constant`, why: 'it draws noise, and later draws would change' },
      ]
    waiting.push(...node.inputs)
  }
  return []
}
