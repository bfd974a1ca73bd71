/** The sets of a share of zeros: counts, ties, the percentile rule of the published code. */
import sparseChannels from '../../ts/penalties/sparse_channels'
import sparseWeights from '../../ts/penalties/sparse_weights'
import type { Penalty } from '../../ts/tensor/kinds'
import { plan } from '../../ts/tensor/plan'
import type { Tensor } from '../../ts/tensor/tensor'
import { uniform } from '../support/draws'
import { numbers, useWorker } from '../support/worker'

const worker = useWorker()

async function prox(penalty: Penalty, w: ArrayLike<number>, shape: number[] = [1, w.length, 1, 1]): Promise<number[]> {
  const run = plan('prox', (x: Tensor) => penalty.prox(x, 1), { session: worker() })
  return numbers(run(worker().put(Float32Array.from(w), shape)))
}

async function value(penalty: Penalty, w: readonly number[]): Promise<number> {
  const run = plan('value', (x: Tensor) => penalty.value(x), { session: worker() })
  return run(worker().put(Float32Array.from(w), [1, w.length, 1, 1])).item()
}

const zerosOf = (w: readonly number[]): number => w.filter((x) => x === 0).length

test.each([
  [0, 0],
  [0.29, 29],
  [0.295, 29],
  [0.5, 50],
  [0.8, 80],
  [1, 100],
])('a share of %p makes %p zeros of 100, those of the smallest magnitudes', async (share, zeros) => {
  const w = uniform(7, 100, -1, 1)
  const sizes = Array.from(w, Math.abs).sort((a, b) => a - b)
  const found = await prox(sparseWeights({ share }), w)
  expect(zerosOf(found)).toBe(zeros)
  expect(found).toEqual(Array.from(w, (x) => (Math.abs(x) < (sizes[zeros] ?? Infinity) ? 0 : x)))
})

test('among equal entries exactly as many as wanted go, the first of them', async () => {
  expect(await prox(sparseWeights({ share: 0.5 }), [1, -1, 1, 1, -1, 1])).toEqual([0, 0, 0, 1, -1, 1])
  expect(await prox(sparseWeights({ share: 0.5 }), [2, -1, 1, 1, 1, 0])).toEqual([2, 0, 0, 1, 1, 0])
})

test('the mask of weights has their shape', async () => {
  expect(await prox(sparseWeights({ share: 0.5 }), [1, 8, 3, 6, 5, 4, 7, 2], [2, 2, 2, 1])).toEqual([
    0, 8, 0, 6, 5, 0, 7, 0,
  ])
})

test('channels go by the norm over outputs and kernel', async () => {
  // w[out, in, 1, 1] with 3 channels: norms sqrt(2), 1.5 and 1
  expect(await prox(sparseChannels({ share: 0.4 }), [1, 1.5, 0, 1, 0, 1], [2, 3, 1, 1])).toEqual([1, 1.5, 0, 1, 0, 0])
})

test('within a network the smallest channels of all convolutions go, to the exact count', async () => {
  const all = sparseChannels({ share: 0.5, within: 'network' })
  const run = plan('all', (v: Tensor, w: Tensor, x: Tensor) => all.proxAll!([v, w, x], 1), { session: worker() })
  const put = (values: number[], shape: number[]) => worker().put(Float32Array.from(values), shape)
  // norms 1 2 | 3, 4, 1 | sqrt(2): of 6 channels 3 go, the two of norm 1 and that of sqrt(2)
  const found = run(put([1, -2], [1, 2, 1, 1]), put([3, -4, 1], [1, 3, 1, 1]), put([1, 1], [2, 1, 1, 1]))
  expect(await Promise.all(found.map(numbers))).toEqual([
    [0, -2],
    [3, -4, 0],
    [0, 0],
  ])
  expect(sparseChannels({ share: 0.5 }).proxAll).toBeUndefined()
})

test('the share may change from run to run', async () => {
  const run = plan('prox', (x: Tensor, share: Tensor) => sparseChannels({ share }).prox(x, 1), { session: worker() })
  const w = worker().put(uniform(3, 10, 0.1, 1), [1, 10, 1, 1])
  const counts = []
  for (const share of [0, 0.3, 0.7, 1]) counts.push(zerosOf(await numbers(run(w, share))))
  expect(counts).toEqual([0, 3, 7, 10])
})

test('the value is 0 inside the set and infinite outside', async () => {
  const set = sparseWeights({ share: 0.5 })
  expect(await value(set, [0, 1, 0, 2])).toBe(0)
  expect(await value(set, [0, 0, 0, 2])).toBe(0)
  expect(await value(set, [0, 1, 3, 2])).toBe(Infinity)
  expect(await value(sparseChannels({ share: 0.5 }), [0, 1, 3, 2])).toBe(Infinity)
  expect(await value(sparseWeights({ share: 0.5, rule: 'paper' }), [-4, 2, 0, 3])).toBe(0)
  expect(await value(sparseWeights({ share: 0.75, rule: 'paper' }), [-4, 2, 0, 3])).toBe(Infinity)
})

test("the paper's rule takes the percentile of the signed weights, between its two neighbours", async () => {
  // sorted -4 -3 1 2 5: percentile 50 is 1, percentile 80 is 2 + 0.2 * 3 = 2.6
  const w = [5, -3, 1, -4, 2]
  expect(await prox(sparseWeights({ share: 0.5, rule: 'paper' }), w)).toEqual(w)
  expect(await prox(sparseWeights({ share: 0.8, rule: 'paper' }), w)).toEqual([5, -3, 0, -4, 0])
  const symmetric = uniform(11, 1000, -1, 1)
  const zeros = zerosOf(await prox(sparseWeights({ share: 0.5, rule: 'paper' }), symmetric))
  expect(zeros).toBeLessThan(50)
})

test("the paper's rule for channels drops the norms up to the percentile", async () => {
  // percentile 50 of 1, 2, 3 is 2: 2 goes as well
  expect(await prox(sparseChannels({ share: 0.5, rule: 'paper' }), [1, -2, 3])).toEqual([0, 0, 3])
})

test('refuses what is no share and no rule', () => {
  expect(() => sparseWeights({ share: 50 })).toThrow('Expected `share` to be a number in [0, 1], got `50` (number)')
  expect(() => sparseChannels({ share: 0.5, rule: 'signed' as 'paper' })).toThrow(
    'Expected `rule` to be one of magnitude, paper, got `"signed"` (string)',
  )
})
