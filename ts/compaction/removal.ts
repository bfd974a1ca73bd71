/**
 * Which channels of which layers may go: a pure function of what a network computes and of its zero weights. The removal is exact: nothing
 * that goes is read by a layer that stays, and no tensor is narrowed that noise measures.
 */
import type { LayerWidths, ModelGraph, Widths } from '../tensor/graph'
import { type Classes, classesOf } from './classes'
import { type Layer, type Layers, layersOf } from './layers'
import type { Links } from './links'
import { Needs } from './needs'
import { type Zeros, zerosOf } from './zeros'

/** How channels are removed. */
export interface RemovalOptions {
  /**
   * A layer that reads only some channels of a tensor that has to stay whole gets them selected first, which costs a copy. This is the
   * least share of the channels that has to go for it.
   */
  readonly least?: number
}

/** A removal before it is carried out. */
export interface Removal {
  readonly widths: Widths
  readonly classes: Classes
  readonly layers: Layers
  readonly needs: Needs
  readonly zeros: Zeros
}

/** Without a tenth of the channels, selecting costs on a CPU what the smaller convolution saves; without a quarter it saves. */
export const LEAST_SHARE = 0.2

/** Finds the channels that nobody reads, with all that follows from it, down to no channel more. */
export function planRemoval(graph: ModelGraph, links: Links, { least = LEAST_SHARE }: RemovalOptions = {}): Removal {
  const layers = layersOf(graph, links)
  const classes = classesOf(graph, layers)
  const zeros = zerosOf(graph, layers)
  const needs = new Needs(graph, layers, classes, zeros)
  keepOneEach(graph, layers, needs)
  while (keepWhatIsNotWorthACopy(layers, needs, least));
  const plans = [...layers.narrow.values()].map((layer) => ({ layer, plan: layerPlan(layer, needs, zeros, least) }))
  return { widths: widthsOf(plans), classes, layers, needs, zeros }
}

/** A tensor without channels is none: one that nobody reads keeps its first channel, or the first that is there. */
function keepOneEach({ nodes }: ModelGraph, { narrow }: Layers, needs: Needs): void {
  for (const { id, inputs } of nodes) {
    if (needs.kept(id).length > 0) continue
    const below = narrow.get(id)?.kind === 'diagonal' ? needs.kept(inputs[0]!) : []
    needs.keep(id, below[0] ?? 0)
  }
}

/** Norms whose selection would save too little read all that is there. Gives whether that changed anything. */
function keepWhatIsNotWorthACopy({ narrow }: Layers, needs: Needs, least: number): boolean {
  let changed = false
  for (const { kind, node, selected } of narrow.values()) {
    if (kind !== 'diagonal' || selected) continue
    const [there, read] = [needs.kept(node.inputs[0]!), needs.kept(node.id)]
    if (read.length === there.length || there.length - read.length >= least * there.length) continue
    for (const channel of there) needs.keep(node.id, channel)
    changed = true
  }
  return changed
}

/** What stays of a layer, in channels of the network before the removal. */
interface LayerPlan {
  readonly zero: boolean
  /** Whether it selects channels already, in a network that was compacted before: taking fewer costs nothing. */
  readonly selected: boolean
  /** The channels of the tensor before it that stay. */
  readonly there: readonly number[]
  /** Those of them that it reads. */
  readonly read: readonly number[]
  readonly out: readonly number[]
  readonly inputs: number
  readonly outputs: number
}

function layerPlan(layer: Layer, needs: Needs, zeros: Zeros, least: number): LayerPlan {
  const { node, selected } = layer
  const input = node.inputs[0]!
  const there = needs.kept(input)
  const out = needs.kept(node.id)
  return {
    selected,
    zero: node.kind === 'conv' && (needs.isUnread(node.id) || out.every((o) => zeros(node.id, o))),
    there,
    read: layer.kind === 'diagonal' ? out : worthIt(needs.inputsOf(layer), there, least),
    out,
    inputs: needs.classes.channels(input),
    outputs: needs.classes.channels(node.id),
  }
}

function worthIt(read: readonly number[], there: readonly number[], least: number): readonly number[] {
  if (there.length - read.length < least * there.length) return there
  return read.length > 0 ? read : there.slice(0, 1)
}

/**
 * The plans as the worker takes them. `select` means a tensor with all its channels; where a layer selects from one that has become
 * narrower, that is a second step.
 */
function widthsOf(plans: readonly { layer: Layer; plan: LayerPlan }[]): Widths {
  const first: Record<string, LayerWidths> = {}
  const second: Record<string, LayerWidths> = {}
  for (const { layer, plan } of plans) {
    const { there, read, out, zero, selected, inputs, outputs } = plan
    const { module } = layer
    const selects = !zero && read.length < (selected ? inputs : there.length)
    const later = selects && !selected && there.length < inputs
    const now = later ? there : read
    const isNorm = layer.node.kind === 'norm'
    const kept = later && layer.kind === 'diagonal' ? there : out
    const widths: LayerWidths = {
      ...(!isNorm && !zero && now.length < inputs ? { in: now } : {}),
      ...(kept.length < outputs ? { out: kept } : {}),
      ...(selects && !later ? { select: true } : {}),
      ...(zero ? { zero: true } : {}),
    }
    if (Object.keys(widths).length > 0) first[module] = widths
    if (!later) continue
    const at = read.map((channel) => there.indexOf(channel))
    const both = layer.kind === 'diagonal' ? (isNorm ? { out: at } : { in: at, out: at }) : { in: at }
    second[module] = { ...both, select: true }
  }
  const then = Object.keys(second).length > 0 ? { then: { version: 1 as const, layers: second } } : {}
  return { version: 1, layers: first, ...then }
}
