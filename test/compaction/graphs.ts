/** Graphs and zero weights written by hand, for the rules of removal one by one. */
import type { GraphNode, ModelGraph } from '../../ts/tensor/graph'
import type { LayerLinks, Links } from '../../ts/compaction/links'

/** `[1, channels, 4, 4]`, or `[1, features]`. */
const shape = (channels: number, flat: boolean): number[] => (flat ? [1, channels] : [1, channels, 4, 4])

/** A node; the module of a layer has the node's name. */
export function node(
  id: string,
  kind: GraphNode['kind'],
  inputs: readonly string[],
  channels: number,
  more: Partial<GraphNode> = {},
): GraphNode {
  const module = ['conv', 'norm', 'linear'].includes(kind) ? id : null
  const flat = ['mean', 'flatten', 'linear', 'output'].includes(kind)
  return { id, kind, module, inputs, shape: shape(channels, flat), ...(kind === 'relu' ? { zero: true } : {}), ...more }
}

export const graph = (...nodes: GraphNode[]): ModelGraph => ({ nodes })

/** Links of layers as rows of `1` and `0`, one row an output channel; `bias` likewise. */
export function links(
  rows: Readonly<Record<string, readonly string[] | { rows: readonly string[]; bias: string }>>,
): Links {
  const bits = (text: string): Uint8Array => Uint8Array.from(text, Number)
  return new Map(
    Object.entries(rows).map(([name, given]): [string, LayerLinks] => {
      const [list, bias] = 'rows' in given ? [given.rows, bits(given.bias)] : [given, null]
      return [name, { outputs: list.length, inputs: list[0]!.length, joined: bits(list.join('')), bias }]
    }),
  )
}

/** The pre-activation block of EnResNet on a stream of 3 channels, inside of a network; noise after it when asked. */
export function block(noise: boolean): ModelGraph {
  const stream = noise ? 'noise' : 'sum'
  return graph(
    node('image', 'input', [], 1),
    node('stem', 'conv', ['image'], 3),
    node('bn1', 'norm', ['stem'], 3),
    node('relu1', 'relu', ['bn1'], 3),
    node('conv1', 'conv', ['relu1'], 3),
    node('bn2', 'norm', ['conv1'], 3),
    node('relu2', 'relu', ['bn2'], 3),
    node('conv2', 'conv', ['relu2'], 3),
    node('sum', 'add', ['conv2', 'stem'], 3),
    ...(noise ? [node('noise', 'noise', ['sum'], 3)] : []),
    node('bn', 'norm', [stream], 3),
    node('relu', 'relu', ['bn'], 3),
    node('mean', 'mean', ['relu'], 3),
    node('fc', 'linear', ['mean'], 2),
    node('logits', 'output', ['fc'], 2),
  )
}

export const FULL = {
  stem: ['1', '1', '1'],
  conv1: ['111', '111', '111'],
  conv2: ['111', '111', '111'],
  fc: ['111', '111'],
}
