/** Published thresholds, goldens and values of the single penalties. */
import groupL0 from '../../ts/penalties/group_l0'
import groupLasso from '../../ts/penalties/group_lasso'
import l0 from '../../ts/penalties/l0'
import type { Penalty } from '../../ts/tensor/kinds'
import { plan } from '../../ts/tensor/plan'
import type { Tensor } from '../../ts/tensor/tensor'
import { numbers, useWorker } from '../support/worker'

const worker = useWorker()

/** The prox of entries or of one-entry channels. */
async function prox(penalty: Penalty, w: readonly number[], gamma: number): Promise<number[]> {
  const run = plan('prox', (x: Tensor) => penalty.prox(x, gamma), { session: worker() })
  return numbers(run(worker().put(Float32Array.from(w), [1, w.length, 1, 1])))
}

async function value(penalty: Penalty, w: readonly number[], shape: number[]): Promise<number> {
  const run = plan('value', (x: Tensor) => penalty.value(x), { session: worker() })
  return run(worker().put(Float32Array.from(w), shape)).item()
}

// Origin: paper A, thresholds sqrt(2 lambda / beta) at lambda = 1e-6.
test.each([
  [0.01, 0.01414],
  [0.1, 0.00447],
  [0.5, 0.002],
])('l0 with lambda 1e-6 and beta %p cuts at %p', async (beta, threshold) => {
  const [below, above] = [threshold - 1e-5, threshold + 1e-5].map(Math.fround)
  expect(await prox(l0({ lambda: 1e-6 }), [below!, above!, -below!, -above!], 1 / beta)).toEqual([0, above, 0, -above!])
})

// Origin: paper A, channel-norm thresholds sqrt(2 lambda1) at beta = 1.
test.each([
  [1e-2, 0.1414],
  [2e-2, 0.2],
  [5e-2, 0.3162],
  [1e-1, 0.4472],
])('group l0 with lambda1 %p cuts at %p', async (lambda, threshold) => {
  const [below, above] = [threshold - 1e-4, threshold + 1e-4].map(Math.fround)
  expect(await prox(groupL0({ lambda }), [below!, above!], 1)).toEqual([0, above])
})

test('an entry at the threshold goes: the inequality is strict', async () => {
  // sqrt(2 * 0.5 * 1) = 1, exactly.
  expect(await prox(l0({ lambda: 0.5 }), [1, 1.0000001192092896, -1], 1)).toEqual([0, 1.0000001192092896, 0])
  expect(await prox(groupL0({ lambda: 0.5 }), [1, 1.0000001192092896, -1], 1)).toEqual([0, 1.0000001192092896, 0])
})

test('l0 agrees with ProximalOperators.jl', async () => {
  // Origin: JuliaFirstOrder/ProximalOperators.jl, test/test_results.jl, the case NormL0(0.6) with gamma 0.4, to 4
  // decimals.
  const x = [0.1432, 0.6535, -0.3522, -1.0843, -0.2169, 0.3842, 0.4664, -1.7104, 0.2991, 1.4567]
  const y = await prox(l0({ lambda: 0.6 }), x, 0.4)
  expect(y).toEqual([0, 0, 0, -1.0843, 0, 0, 0, -1.7104, 0, 1.4567].map(Math.fround))
  expect(await value(l0({ lambda: 0.6 }), x, [10])).toBeCloseTo(6, 6)
  expect(await value(l0({ lambda: 0.6 }), y, [10])).toBeCloseTo(1.8, 6)
})

test('a channel is an input channel: its norm runs over outputs and kernel', async () => {
  // w[out, in, 1, 1]: channel 0 is (0.3, 0.3), norm 0.424; channel 1 is (0.4, 0), norm 0.4. The cut at 0.41 keeps
  // channel 0 alone.
  const run = plan('prox', (x: Tensor) => groupL0({ lambda: 0.41 ** 2 / 2 }).prox(x, 1), { session: worker() })
  const w = worker().put(Float32Array.from([0.3, 0.4, 0.3, 0]), [2, 2, 1, 1])
  expect(await numbers(run(w))).toEqual([0.3, 0, 0.3, 0].map(Math.fround))
})

test('group lasso shrinks norms by lambda * gamma', async () => {
  const run = plan('prox', (x: Tensor) => groupLasso({ lambda: 0.5 }).prox(x, 2), { session: worker() })
  // Channel 0 is (3, 4): norm 5 becomes 4. Channel 1 is (0.6, 0.8): norm 1 becomes 0.
  const w = worker().put(Float32Array.from([3, 0.6, 4, 0.8]), [2, 2, 1, 1])
  const [a, b, c, d] = await numbers(run(w))
  expect([b, d]).toEqual([0, 0])
  expect(a).toBeCloseTo(2.4, 6)
  expect(c).toBeCloseTo(3.2, 6)
})

test('values', async () => {
  const w = [3, 0, 4, 0]
  expect(await value(groupL0({ lambda: 0.1 }), w, [2, 2, 1, 1])).toBeCloseTo(0.1, 6)
  // sqrt(25 + 1e-8) + sqrt(1e-8)
  expect(await value(groupLasso({ lambda: 2 }), w, [2, 2, 1, 1])).toBeCloseTo(10.0002, 5)
})
