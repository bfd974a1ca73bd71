import { evenEdges, histogramOf } from '../../ts/records/histogram'

test('a value on an edge belongs to the bin above it, the last bin holds its upper edge', () => {
  expect(histogramOf([-1, 0, 0.5, 0.5, 0.99, 1, 1.01, NaN], evenEdges(0, 1, 2))).toEqual({
    edges: [0, 0.5, 1],
    counts: [1, 4],
    below: 1,
    above: 1,
  })
})

test('nothing is lost', () => {
  const values = Array.from({ length: 1000 }, (_, i) => ((i * 7919) % 1009) / 700)
  const { counts, below, above } = histogramOf(values, evenEdges(0.1, 1, 500))
  expect(counts).toHaveLength(500)
  expect(counts.reduce((a, b) => a + b, 0) + below + above).toBe(1000)
})

test('bins without a width are refused', () => {
  expect(() => evenEdges(1, 1, 5)).toThrow('Expected bins from low to a greater high, got 5 from 1 to 1')
})
