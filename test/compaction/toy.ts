/**
 * Networks in small integers, so that a removal can be checked exactly and without a worker: the graph as `model.graph` would give it, weights,
 * an evaluator, and a second implementation of `model.narrow`.
 */
import type { GraphNode, LayerWidths, ModelGraph, Widths } from '../../ts/tensor/graph'
import type { LayerLinks, Links } from '../../ts/compaction/links'

/** Channels by positions. */
export type Values = number[][]

export interface ToyLayer {
  /** `[out][in]`; of a norm or depthwise convolution the factors. */
  readonly weight: readonly (readonly number[])[] | readonly number[]
  readonly bias: readonly number[] | null
  readonly select: readonly number[] | null
  readonly zero: boolean
}

export interface ToyNode {
  readonly id: string
  readonly kind: GraphNode['kind']
  readonly module: string | null
  readonly inputs: readonly string[]
  readonly depthwise?: boolean
  /** relu: whether it maps 0 to 0. */
  readonly zero?: boolean
}

export interface Toy {
  readonly nodes: readonly ToyNode[]
  readonly layers: Readonly<Record<string, ToyLayer>>
  readonly image: { readonly channels: number; readonly positions: number }
}

/** A stream of whole numbers in [0, 2^31). */
export function stream(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) >>> 0
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return state >>> 1
  }
}

const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i))
const isDiagonal = ({ kind, depthwise }: ToyNode): boolean => kind === 'norm' || depthwise === true

/** The value of every node; `seed` draws the noise. */
export function run(toy: Toy, image: Values, seed = 1): Map<string, Values> {
  const values = new Map<string, Values>()
  const draw = stream(seed)
  for (const node of toy.nodes)
    values.set(
      node.id,
      valueOf(
        toy,
        node,
        node.inputs.map((id) => values.get(id)!),
        image,
        draw,
      ),
    )
  return values
}

/** The result of the network. */
export const resultOf = (toy: Toy, image: Values, seed = 1): Values => run(toy, image, seed).get(toy.nodes.at(-1)!.id)!

function valueOf(toy: Toy, node: ToyNode, inputs: readonly Values[], image: Values, draw: () => number): Values {
  const [x] = inputs as [Values]
  switch (node.kind) {
    case 'input':
      return image
    case 'conv':
    case 'norm':
    case 'linear':
      return applied(toy.layers[node.module!]!, isDiagonal(node), x)
    // Remainders keep the numbers small, and 0 at 0.
    case 'relu':
      return x.map((row) => row.map((v) => (Math.max(v, 0) % 97) + (node.zero === true ? 0 : 1)))
    case 'mean':
      return x.map((row) => [row.reduce((a, b) => a + b)])
    case 'add':
      return x.map((row, c) => row.map((_, p) => inputs.reduce((sum, other) => sum + other[c]![p]!, 0) % 1009))
    case 'concat':
      return inputs.flat()
    case 'flatten':
      return x.flatMap((row) => row.map((v) => [v]))
    case 'noise': {
      const all = x.flat()
      const spread = Math.max(...all) - Math.min(...all)
      return x.map((row) => row.map((v) => v + (draw() % 3) * spread))
    }
    case 'opaque':
      return [...x].reverse()
    default:
      return x
  }
}

function applied({ weight, bias, select, zero }: ToyLayer, diagonal: boolean, given: Values): Values {
  const x = select === null ? given : select.map((c) => given[c]!)
  if (!diagonal && (weight as number[][])[0]?.length !== x.length && !zero) throw new Error('widths do not fit')
  if (diagonal && weight.length !== x.length) throw new Error('widths do not fit')
  return weight.map((row, o) =>
    x[0]!.map((_, p) => {
      if (zero) return 0
      const product = typeof row === 'number' ? row * x[o]![p]! : row.reduce((sum, w, i) => sum + w * x[i]![p]!, 0)
      return product + (bias?.[o] ?? 0)
    }),
  )
}

/** What `model.graph` gives. */
export function graphOf(toy: Toy, positions: number = toy.image.positions): ModelGraph {
  const image = times(toy.image.channels, () => times(positions, () => 0))
  const values = run(toy, image)
  const flat = (id: string): boolean =>
    toy.nodes.some((n) => n.id === id && ['flatten', 'mean', 'linear'].includes(n.kind))
  const shapeOf = (id: string): number[] => {
    const value = values.get(id)!
    return flat(id) ? [1, value.length] : [1, value.length, 1, value[0]!.length]
  }
  const nodes = toy.nodes.flatMap((node): GraphNode[] => {
    const layer = node.module === null ? null : toy.layers[node.module]!
    const shape = shapeOf(node.id)
    const entry: GraphNode = {
      ...{ id: node.id, kind: node.kind, module: node.module, inputs: node.inputs, shape },
      ...(node.kind === 'conv' ? { groups: node.depthwise === true ? shape[1] : 1 } : {}),
      ...(node.kind === 'relu' ? { zero: node.zero === true } : {}),
      ...(node.kind === 'concat' ? { dim: 1 } : {}),
    }
    if (layer === null) return [entry]
    if (layer.zero) return [{ ...entry, kind: 'opaque', module: null, why: 'it gives zeros' }]
    if (layer.select === null) return [entry]
    const id = `${node.id}.select`
    const taken: GraphNode = {
      ...{ id, kind: 'select', module: null, inputs: node.inputs, index: layer.select },
      shape: [1, layer.select.length, ...shapeOf(node.inputs[0]!).slice(2)],
    }
    return [taken, { ...entry, inputs: [id] }]
  })
  return { nodes }
}

/** Which weights are not zero. */
export function linksOf(toy: Toy): Links {
  const dense = toy.nodes.filter((node) => node.module !== null && !isDiagonal(node))
  return new Map(
    dense.flatMap(({ module }): [string, LayerLinks][] => {
      const { weight, bias, zero } = toy.layers[module!]!
      const rows = weight as number[][]
      const [outputs, inputs] = [rows.length, rows[0]!.length]
      const joined = Uint8Array.from(rows.flat(), (w) => (w === 0 ? 0 : 1))
      return zero
        ? []
        : [[module!, { outputs, inputs, joined, bias: bias && Uint8Array.from(bias, (b) => (b === 0 ? 0 : 1)) }]]
    }),
  )
}

/** The second implementation of `model.narrow`. */
export function narrow(toy: Toy, widths: Widths): Toy {
  const layers = { ...toy.layers }
  for (const [module, plan] of Object.entries(widths.layers)) {
    const node = toy.nodes.find((other) => other.module === module)!
    layers[module] = isDiagonal(node) ? thinner(layers[module]!, plan) : smaller(layers[module]!, plan)
  }
  const narrowed = { ...toy, layers }
  return widths.then === undefined ? narrowed : narrow(narrowed, widths.then)
}

const pick = <T>(list: readonly T[], index: readonly number[] | undefined): T[] =>
  index === undefined ? [...list] : index.map((i) => list[i]!)

function selection(layer: ToyLayer, plan: LayerWidths, index: readonly number[] | undefined): readonly number[] | null {
  if ((layer.select !== null || plan.select === true) && (plan.select === true) !== (index !== undefined))
    throw new Error('`select` comes with the channels, and the channels of a selection with `select`')
  if (layer.select !== null) return pick(layer.select, index)
  return plan.select === true ? index! : null
}

function thinner(layer: ToyLayer, plan: LayerWidths): ToyLayer {
  return {
    ...layer,
    weight: pick(layer.weight as number[], plan.out),
    bias: layer.bias && pick(layer.bias, plan.out),
    select: selection(layer, plan, plan.out),
  }
}

function smaller(layer: ToyLayer, plan: LayerWidths): ToyLayer {
  const rows = pick(layer.weight as number[][], plan.out)
  return {
    weight: rows.map((row) => pick(row, plan.in)),
    bias: layer.bias && pick(layer.bias, plan.out),
    select: plan.zero === true ? null : selection(layer, plan, plan.in),
    zero: plan.zero === true || layer.zero,
  }
}

/** A random network with random zeros: input channels, filters, single weights, whole layers. */
export function randomToy(seed: number, noisy: boolean): Toy {
  const next = stream(seed)
  const below = (n: number): number => next() % n
  const chance = (percent: number): boolean => below(100) < percent
  const nodes: ToyNode[] = []
  const layers: Record<string, ToyLayer> = {}
  const widths = new Map<string, number>()
  const put = (kind: ToyNode['kind'], inputs: string[], channels: number, more: Partial<ToyNode> = {}): string => {
    const id = `${kind}_${nodes.length}`
    nodes.push({ id, kind, module: null, inputs, ...more })
    widths.set(id, channels)
    return id
  }
  const small = (): number => below(5) - 2
  const dense = (kind: 'conv' | 'linear', input: string, outputs: number): string => {
    const inputs = widths.get(input)!
    const [columns, rows] = [times(inputs, () => chance(45)), times(outputs, () => chance(25))]
    const nothing = chance(10)
    const weight = rows.map((emptyRow) =>
      columns.map((emptyColumn) => (nothing || emptyRow || emptyColumn || chance(20) ? 0 : small())),
    )
    const twin = nodes.find((n) => n.kind === kind && !n.depthwise && widths.get(n.inputs[0]!) === inputs)
    // Now and then a layer that is used twice.
    if (twin !== undefined && kind === 'conv' && widths.get(twin.id) === outputs && chance(15))
      return put(kind, [input], outputs, { module: twin.module })
    const module = `layer${nodes.length}`
    const bias = chance(30) ? times(outputs, () => (chance(50) ? 0 : small())) : null
    layers[module] = { weight, bias, select: null, zero: false }
    return put(kind, [input], outputs, { module })
  }
  const diagonal = (kind: 'norm' | 'conv', input: string): string => {
    const channels = widths.get(input)!
    const module = `layer${nodes.length}`
    layers[module] = { weight: times(channels, small), bias: times(channels, small), select: null, zero: false }
    return put(kind, [input], channels, { module, ...(kind === 'conv' ? { depthwise: true } : {}) })
  }
  const image = { channels: 3, positions: 2 }
  const open = [put('input', [], image.channels)]
  const any = (): string => open[below(open.length)]!
  for (let step = 0; step < 14; step++) {
    const x = any()
    const channels = widths.get(x)!
    const kind = below(noisy ? 11 : 9)
    if (kind <= 2) open.push(dense('conv', put('relu', [diagonal('norm', x)], channels, { zero: true }), 2 + below(4)))
    else if (kind === 3) open.push(dense('conv', x, 2 + below(4)))
    else if (kind === 4) open.push(diagonal(chance(50) ? 'norm' : 'conv', x))
    else if (kind === 5) open.push(put('relu', [x], channels, { zero: chance(80) }))
    else if (kind === 6) open.push(put('add', [x, dense('conv', any(), channels)], channels))
    else if (kind === 7) {
      const other = any()
      open.push(put('concat', [x, other], channels + widths.get(other)!))
    } else if (kind === 8) open.push(put(chance(30) ? 'opaque' : 'pool', [x], channels))
    else open.push(put('noise', [x], channels))
  }
  const last = open.at(-1)!
  const features = chance(50)
    ? put('mean', [last], widths.get(last)!)
    : put('flatten', [last], widths.get(last)! * image.positions)
  put('output', [dense('linear', features, 4)], 4)
  return { nodes, layers, image }
}

/** An image of small integers. */
export function toyImage({ image }: Toy, seed: number): Values {
  const next = stream(seed)
  return times(image.channels, () => times(image.positions, () => (next() % 7) - 3))
}

/** The same network with more input channels of its layers zero. */
export function prunedFurther(toy: Toy, seed: number): Toy {
  const next = stream(seed)
  const layers = Object.entries(toy.layers).map(([name, layer]): [string, ToyLayer] => {
    const [first] = layer.weight
    if (!Array.isArray(first)) return [name, layer]
    const columns = times(first.length, () => next() % 3 === 0)
    const weight = (layer.weight as number[][]).map((row) => row.map((w, i) => (columns[i] === true ? 0 : w)))
    return [name, { ...layer, weight }]
  })
  return { ...toy, layers: Object.fromEntries(layers) }
}
