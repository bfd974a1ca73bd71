/** The counts on a small graph written by hand, where every number can be worked out on paper. */
import { cost } from '../../ts/cost/cost'
import { costLines } from '../../ts/cost/lines'
import type { GraphNode, ModelGraph } from '../../ts/tensor/graph'

const node = (
  id: string,
  kind: GraphNode['kind'],
  inputs: string[],
  shape: number[],
  more: Partial<GraphNode> = {},
) => ({
  ...{ id, kind, inputs, shape, module: null },
  ...more,
})
const conv = (id: string, input: string, shape: number[], more: Partial<GraphNode> = {}): GraphNode =>
  node(id, 'conv', [input], shape, { module: id, kernel: [3, 3], groups: 1, bias: false, operation: 'Conv2d', ...more })

/** Two 3x3 convolutions around a batch norm, a skip path, pooling, a linear layer; 2x8x8 images. */
const graph: ModelGraph = {
  nodes: [
    node('x', 'input', [], [1, 2, 8, 8]),
    conv('stem', 'x', [1, 4, 8, 8], { bias: true }),
    node('bn', 'norm', ['stem'], [1, 4, 8, 8], { module: 'bn', bias: true, operation: 'BatchNorm2d' }),
    node('act', 'relu', ['bn'], [1, 4, 8, 8], { zero: true, operation: 'ReLU' }),
    node('copy', 'relu', ['act'], [1, 4, 8, 8], { zero: true, operation: 'contiguous' }),
    conv('deep', 'copy', [1, 4, 8, 8]),
    node('sum', 'add', ['deep', 'stem'], [1, 4, 8, 8], { operation: 'add' }),
    node('pooled', 'pool', ['sum'], [1, 4, 4, 4], { operation: 'max_pool2d' }),
    node('flat', 'flatten', ['pooled'], [1, 64], { operation: 'flatten' }),
    node('fc', 'linear', ['flat'], [1, 10], { module: 'fc', bias: true, operation: 'Linear' }),
    node('out', 'output', ['fc'], [1, 10]),
  ],
}

test('both counts, bytes and memory of a dense network', () => {
  const found = cost(graph, { nonZero: 100 })
  const [stem, deep, fc] = [9 * 2 * 4, 9 * 4 * 4, 64 * 10]
  const parameters = stem + 4 + 8 + deep + fc + 10
  expect(found.parameters).toBe(parameters)
  expect(found.multiplyAdds).toBe(64 * (stem + deep) + fc)
  // bias of the convolution, norm twice, ReLU once, what the pooling reads, bias of the linear layer
  expect(found.torchPruning).toBe(found.multiplyAdds + 256 + 2 * 256 + 256 + 256 + 10)
  expect([found.bytes, found.nonZeroBytes]).toEqual([4 * parameters, 400])
  // three maps at once: one is kept for the sum, one is read, one is written
  expect(found.peakActivationBytes).toBe(4 * 3 * 256)
  expect(found.uncounted).toEqual([])
  expect(found.layers.map(({ id }) => id)).toEqual(graph.nodes.map(({ id }) => id))
})

test('a narrowed network: fewer channels inside, a selection that multiplies nothing, features behind the flattening', () => {
  const widths = {
    version: 1 as const,
    layers: {
      bn: { out: [0, 2, 3], select: true },
      deep: { in: [0, 1, 2] },
      fc: { in: [0, 1, 2, 3, 4, 5] },
    },
  }
  const found = cost(graph, { widths })
  expect(found.parameters).toBe(72 + 4 + 6 + 9 * 3 * 4 + 640 + 10)
  expect(found.multiplyAdds).toBe(64 * (72 + 108) + 640)
  expect(found.torchPruning).toBe(found.multiplyAdds + 256 + 2 * 192 + 192 + 256 + 10)
  expect(found.layers.filter(({ selects }) => selects).map(({ id }) => id)).toEqual(['bn'])
})

test('narrowing the sum narrows pooling and flattening behind it; a second plan counts on the first', () => {
  const kept = [0, 1, 2]
  const layers = { stem: { out: kept }, bn: { out: kept }, deep: { in: kept, out: kept }, fc: { in: [] } }
  const found = cost(graph, { widths: { version: 1, layers, then: { version: 1, layers: { deep: { zero: true } } } } })
  expect(found.parameters).toBe(9 * 2 * 3 + 3 + 48 * 10 + 10)
})

test('a dead branch costs nothing, with everything that only it reads', () => {
  const found = cost(graph, { widths: { version: 1, layers: { deep: { zero: true } } } })
  expect(found.parameters).toBe(72 + 4 + 640 + 10)
  expect(found.multiplyAdds).toBe(64 * 72 + 640)
  expect(found.torchPruning).toBe(64 * 72 + 640 + 256 + 256 + 10)
})

test('weights used twice exist once; a depthwise convolution stays depthwise; what is not understood is named', () => {
  const found = cost({
    nodes: [
      node('x', 'input', [], [1, 4, 8, 8]),
      conv('wise', 'x', [1, 4, 8, 8], { groups: 4 }),
      conv('a', 'wise', [1, 4, 8, 8], { module: 'same', kind: 'opaque', as: 'conv', why: 'used twice' }),
      conv('b', 'a', [1, 4, 8, 8], { module: 'same', kind: 'opaque', as: 'conv', why: 'used twice' }),
      node('odd', 'opaque', ['b'], [1, 10], { why: '`einsum` is not known', operation: 'einsum' }),
      node('out', 'output', ['odd'], [1, 10]),
    ],
  })
  expect(found.parameters).toBe(9 * 4 + 144)
  expect(found.multiplyAdds).toBe(64 * (36 + 2 * 144))
  expect(found.uncounted).toEqual(['odd: `einsum` is not known'])
  const narrow = (layers: object) => cost(graph, { widths: { version: 1, layers: layers as Record<string, object> } })
  expect(() => narrow({ nowhere: {} })).toThrow('Expected `widths` to name layers of the graph, got `nowhere`')
})

test('lines: one network alone, and two side by side', () => {
  const dense = cost(graph)
  expect(costLines({ net: dense })).toEqual([
    'parameters                      878',
    'multiply-adds                   14,464',
    'multiply-adds as Torch-Pruning  15,754',
    'bytes, float32                  3.51 kB',
    'activations at most, one image  3.07 kB',
  ])
  const small = cost(graph, { widths: { version: 1, layers: { deep: { zero: true } } } })
  const spread = { median: 0.002, low: 0.001, high: 0.003, n: 21 }
  const time = { ...spread, seconds: [], batch: 100, threads: 2, device: 'cpu', noise: true, ratio: spread }
  const lines = costLines(
    { before: dense, after: { ...small, uncounted: ['odd: why'] } },
    { before: time, after: { ...time, ratio: { ...spread, median: 0.5 } } },
  )
  expect(lines[0]).toMatch(/^ {2,}before +after +after \/ before$/)
  expect(lines[1]).toMatch(/^parameters +878 +726 +82\.7 %$/)
  expect(lines.at(-3)).toMatch(/^time of a pass +2\.00 ms \[1\.00, 3\.00\] .* 50\.0 %$/)
  expect(lines.at(-2)).toBe('time: batch 100, cpu, 2 threads, median of 21 passes with its 95 % interval')
  expect(lines.at(-1)).toBe('not counted in after: odd: why')
})
