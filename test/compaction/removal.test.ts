/** The rules of removal, one by one. */
import { classesOf } from '../../ts/compaction/classes'
import { planRemoval } from '../../ts/compaction/removal'
import type { ModelGraph } from '../../ts/tensor/graph'
import { FULL, block, graph, links, node } from './graphs'

const layersOf = (network: ModelGraph, weights: Parameters<typeof links>[0], least = 0) => {
  const { version, layers, then } = planRemoval(network, links(weights), { least }).widths
  expect(version).toBe(1)
  expect(then).toBeUndefined()
  return layers
}

test('nothing goes where every weight is there', () => {
  expect(layersOf(block(true), FULL)).toEqual({})
  expect(layersOf(block(false), FULL)).toEqual({})
})

test('an input channel that the next convolution ignores goes with its filter and norm', () => {
  expect(layersOf(block(true), { ...FULL, conv2: ['101', '101', '101'] })).toEqual({
    conv1: { out: [0, 2] },
    bn2: { out: [0, 2] },
    conv2: { in: [0, 2] },
  })
})

test('a zero filter stays, for the norm after it adds its shift', () => {
  expect(layersOf(block(true), { ...FULL, conv1: ['111', '000', '111'] })).toEqual({})
})

test('with noise the stream stays whole: the norm selects what the branch reads', () => {
  expect(layersOf(block(true), { ...FULL, conv1: ['011', '001', '001'] })).toEqual({
    bn1: { out: [1, 2], select: true },
    conv1: { in: [1, 2] },
  })
})

test('without noise the stream loses what no layer reads, in all layers that write or read it', () => {
  const weights = { ...FULL, conv1: ['110', '110', '110'], fc: ['010', '110'] }
  expect(layersOf(block(false), weights)).toEqual({
    stem: { out: [0, 1] },
    bn1: { out: [0, 1] },
    conv1: { in: [0, 1] },
    conv2: { out: [0, 1] },
    bn: { out: [0, 1] },
    fc: { in: [0, 1] },
  })
})

test('a selection from a stream that became narrower is a second step', () => {
  const weights = { ...FULL, conv1: ['010', '010', '010'], fc: ['110', '110'] }
  const { layers, then } = planRemoval(block(false), links(weights), { least: 0 }).widths
  expect(layers).toMatchObject({ stem: { out: [0, 1] }, bn1: { out: [0, 1] }, conv1: { in: [1] } })
  expect(then).toEqual({ version: 1, layers: { bn1: { out: [1], select: true } } })
})

test('a selection that saves less than the least share is not made', () => {
  const weights = { ...FULL, conv1: ['011', '011', '011'] }
  expect(Object.keys(layersOf(block(true), weights, 0.3))).toEqual(['bn1', 'conv1'])
  expect(layersOf(block(true), weights, 0.4)).toEqual({})
})

test('a dead branch: zeros take its place, and what only feeds it shrinks to one channel without weights', () => {
  expect(layersOf(block(true), { ...FULL, conv2: ['000', '000', '000'] })).toEqual({
    bn1: { out: [0], select: true },
    conv1: { out: [0], zero: true },
    bn2: { out: [0] },
    conv2: { zero: true },
  })
})

test('a bias keeps a convolution alive', () => {
  expect(layersOf(block(true), { ...FULL, conv2: { rows: ['000', '000', '000'], bias: '010' } })).toMatchObject({
    conv2: { in: [0] },
  })
  expect(layersOf(block(true), { ...FULL, conv2: { rows: ['000', '000', '000'], bias: '000' } })).toMatchObject({
    conv2: { zero: true },
  })
})

test('a constant network: everything goes without noise, and nothing that noise draws for with it', () => {
  const weights = { ...FULL, fc: ['000', '000'] }
  const layers = layersOf(block(false), weights)
  expect(layers['stem']).toEqual({ out: [0], zero: true })
  expect(layers['conv2']).toEqual({ out: [0], zero: true })
  expect(layers['fc']).toEqual({ in: [0] })
  expect(layersOf(block(true), weights)).toEqual({ bn: { out: [0], select: true }, fc: { in: [0] } })
})

test('zeros that spread: a filter that had weights on a removed filter only goes as well', () => {
  const network = graph(
    node('image', 'input', [], 1),
    node('a', 'conv', ['image'], 3),
    node('b', 'conv', ['a'], 3),
    node('c', 'conv', ['b'], 2),
    node('mean', 'mean', ['c'], 2),
    node('out', 'output', ['mean'], 2),
  )
  // c ignores b's channel 2, the only one that reads a's channel 0; a's filter 1 is zero, and no norm follows
  const weights = { a: ['1', '0', '1'], b: ['011', '011', '111'], c: ['110', '110'] }
  expect(layersOf(network, weights)).toEqual({ a: { out: [2] }, b: { in: [2], out: [0, 1] }, c: { in: [0, 1] } })
})

test('a concatenation shifts channels, flattening spreads them', () => {
  const network = graph(
    node('image', 'input', [], 1),
    node('a', 'conv', ['image'], 2),
    node('b', 'conv', ['image'], 2),
    node('both', 'concat', ['a', 'b'], 4, { dim: 1 }),
    node('flat', 'flatten', ['both'], 64),
    node('fc', 'linear', ['flat'], 2),
    node('out', 'output', ['fc'], 2),
  )
  const row = ['1', '0', '0', '1'].map((bit) => bit.repeat(16)).join('')
  const kept = Array.from({ length: 64 }, (_, i) => i).filter((i) => row[i] === '1')
  expect(layersOf(network, { a: ['1', '1'], b: ['1', '1'], fc: [row, row] })).toEqual({
    a: { out: [0] },
    b: { out: [1] },
    fc: { in: kept },
  })
})

test('a reason names the layer that selects, not a node of the trace', () => {
  const network = graph(
    node('image', 'input', [], 1),
    node('a', 'conv', ['image'], 2),
    node('net_b_0.select', 'select', ['a'], 1, { index: [0] }),
    node('net_b_0', 'conv', ['net_b_0.select'], 2, { module: 'b.0' }),
    node('out', 'output', ['net_b_0'], 2),
  )
  const classes = classesOf(network, { narrow: new Map(), fixed: new Map() })
  expect(classes.pins(classes.of('a', 0))).toEqual([{ kind: 'other', why: 'channels are selected from it for b.0' }])
})

describe('what keeps its channels', () => {
  const around = (id: string, ...middle: ReturnType<typeof node>[]): ModelGraph =>
    graph(
      node('image', 'input', [], 1),
      node('a', 'conv', ['image'], 2),
      ...middle,
      node('c', 'conv', [id], 2),
      node('mean', 'mean', ['c'], 2),
      node('out', 'output', ['mean'], 2),
    )
  const weights = { a: ['1', '1'], b: ['11', '11'], c: ['10', '10'] }
  const selects = { c: { in: [0], select: true } }

  test('an operation that is not understood', () => {
    expect(layersOf(around('x', node('x', 'opaque', ['a'], 2)), weights)).toEqual(selects)
  })
  test('a layer that is used twice', () => {
    const twice = [node('b', 'conv', ['a'], 2), node('b2', 'conv', ['b'], 2, { module: 'b' })]
    expect(layersOf(around('b2', ...twice), weights)).toEqual(selects)
  })
  test('a grouped convolution', () => {
    const wide = [node('b', 'conv', ['a'], 4, { groups: 2 })]
    expect(layersOf(around('b', ...wide), { ...weights, c: ['1000', '1000'] })).toEqual({
      c: { in: [0], select: true },
    })
  })
  test('a sum over tensors of different widths', () => {
    const sum = [node('one', 'conv', ['image'], 1), node('x', 'add', ['a', 'one'], 2)]
    expect(layersOf(around('x', ...sum), { ...weights, one: ['1'] })).toEqual(selects)
  })
  test('not a depthwise convolution, which loses a channel with its neighbours', () => {
    const depthwise = [node('b', 'conv', ['a'], 2, { groups: 2 })]
    expect(layersOf(around('b', ...depthwise), weights)).toEqual({
      a: { out: [0] },
      b: { in: [0], out: [0] },
      c: { in: [0] },
    })
  })
})
