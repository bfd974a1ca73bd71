/** Transformed l1 against a search over a fine grid, its limits in a, and the group version as radial rescaling. */
import groupTransformedL1 from '../../ts/penalties/group_transformed_l1'
import transformedL1 from '../../ts/penalties/transformed_l1'
import type { Penalty } from '../../ts/tensor/kinds'
import { grad, use } from '../../ts/tensor/functions'
import { plan } from '../../ts/tensor/plan'
import type { Tensor } from '../../ts/tensor/tensor'
import { uniform } from '../support/draws'
import { numbers, useWorker } from '../support/worker'

const worker = useWorker()

/** The prox of entries or of one-entry channels; gamma as a literal or as an argument of the plan. */
async function prox(penalty: Penalty, w: readonly number[], gamma: number, runtime = false): Promise<number[]> {
  const x = worker().put(Float32Array.from(w), [1, w.length, 1, 1])
  const session = { session: worker() }
  return numbers(
    runtime
      ? plan('prox', (v: Tensor, g: Tensor) => penalty.prox(v, g), session)(x, gamma)
      : plan('prox', (v: Tensor) => penalty.prox(v, gamma), session)(x),
  )
}

const objective = (y: number, w: number, tau: number, a: number): number =>
  (tau * (a + 1) * Math.abs(y)) / (a + Math.abs(y)) + (y - w) ** 2 / 2

/** The smallest objective over a grid between 0 and w, which is where the minimum lies. */
function lowest(w: number, tau: number, a: number): number {
  const points = 4000
  let best = Infinity
  for (let i = 0; i <= points; i++) best = Math.min(best, objective((w * i) / points, w, tau, a))
  return best
}

/** Draws of (a, lambda, gamma) with 24 weights each; a over two decades, so that both thresholds occur. */
const draws = Array.from({ length: 16 }, (_, draw) => {
  const [a, lambda, gamma] = [
    10 ** uniform(draw, 1, -1, 1)[0]!,
    uniform(draw + 100, 1, 0.01, 0.8)[0]!,
    uniform(draw + 200, 1, 0.2, 2.5)[0]!,
  ]
  return { a, lambda, gamma, w: Array.from(uniform(draw + 300, 24, -3, 3)) }
})

test.each([false, true])('no point of a fine grid beats the prox (gamma from run to run: %p)', async (runtime) => {
  const kinds = new Set<string>()
  for (const { a, lambda, gamma, w } of draws) {
    const tau = lambda * gamma
    const p = await prox(transformedL1({ lambda, a }), w, gamma, runtime)
    p.forEach((y, i) => {
      expect(objective(y, w[i]!, tau, a)).toBeLessThanOrEqual(lowest(w[i]!, tau, a) + 1e-6)
      kinds.add(`${tau <= a ** 2 / (2 * (a + 1)) ? 'slope' : 'jump'} ${y === 0 ? 'zero' : 'kept'}`)
    })
  }
  expect([...kinds].sort()).toEqual(['jump kept', 'jump zero', 'slope kept', 'slope zero'])
})

test('the threshold jumps where lambda gamma is large, and does not where it is small', async () => {
  // a = 1: the change is at tau = 1/4. At tau = 1, t* = 2 - 1/2; at tau = 0.1, t* = 0.2.
  const large = await prox(transformedL1({ lambda: 1 }), [1.499, 1.501, -1.501], 1)
  expect(large[0]).toBe(0)
  expect(large[1]).toBeGreaterThan(0.4)
  expect(large[2]).toBe(-large[1]!)
  const small = await prox(transformedL1({ lambda: 0.1 }), [0.199, 0.201], 1)
  expect(small[0]).toBe(0)
  expect(small[1]).toBeGreaterThan(0)
  expect(small[1]).toBeLessThan(0.01)
})

test('a towards infinity is l1, a towards 0 is l0', async () => {
  const w = [-2.5, -0.35, 0.2, 0.31, 0.9, 3]
  const soft = await prox(transformedL1({ lambda: 0.3, a: 1e5 }), w, 1)
  soft.forEach((y, i) => expect(y).toBeCloseTo(Math.sign(w[i]!) * Math.max(Math.abs(w[i]!) - 0.3, 0), 3))
  const hard = await prox(transformedL1({ lambda: 0.3, a: 1e-5 }), w, 1)
  hard.forEach((y, i) => expect(y).toBeCloseTo(Math.abs(w[i]!) > Math.sqrt(0.6) ? w[i]! : 0, 3))
})

test('the group version rescales each channel to the scalar prox of its norm', async () => {
  const shape = [3, 5, 2, 2]
  const w = Array.from(uniform(7, 60, -1, 1), (x, i) => Math.fround(x * [0.1, 0.5, 1, 2, 0][Math.floor(i / 4) % 5]!))
  const options = { lambda: 0.4, a: 0.7 }
  const run = plan('prox', (x: Tensor) => groupTransformedL1(options).prox(x, 0.9), { session: worker() })
  const p = await numbers(run(worker().put(Float32Array.from(w), shape)))
  const channel = (values: readonly number[], c: number): number[] =>
    values.filter((_, i) => Math.floor(i / 4) % 5 === c)
  const norm = (values: readonly number[]): number => Math.hypot(...values)
  const norms = [0, 1, 2, 3, 4].map((c) => norm(channel(w, c)))
  const expected = await prox(transformedL1(options), norms, 0.9)
  expect(expected.map((size) => size > 0)).toEqual([false, true, true, true, false])
  for (let c = 0; c < 5; c++) {
    const factor = norms[c] === 0 ? 0 : expected[c]! / norms[c]!
    const scaled = channel(w, c).map((x) => factor * x)
    channel(p, c).forEach((y, i) => expect(y).toBeCloseTo(scaled[i]!, 5))
  }
})

test('the group value has a finite gradient at a zero channel', async () => {
  const { value } = groupTransformedL1({ lambda: 2 })
  const w = worker().put(Float32Array.from([3, 0, 4, 0]), [2, 2, 1, 1])
  const run = plan(
    'value',
    () => {
      const leaf = use(w).leaf()
      const f = value(leaf)
      return { f: f.detach(), gradient: grad(f, leaf) }
    },
    { session: worker() },
  )
  const { f, gradient } = run()
  // Channel 0 has norm 5: 2 * 2 * 5 / 6; its slope 2 * 2 / 36 points along (3, 4) / 5.
  expect(await f.item()).toBeCloseTo(10 / 3, 5)
  const slope = await numbers(gradient)
  ;[(4 / 36) * 0.6, 0, (4 / 36) * 0.8, 0].forEach((expected, i) => expect(slope[i]).toBeCloseTo(expected, 6))
})

test.each([0, -1, NaN, Infinity])('refuses a = %p', (a) => {
  expect(() => transformedL1({ lambda: 1, a })).toThrow(/^Expected `a` to be a number in \(0, Infinity\), got `/)
  expect(() => groupTransformedL1({ lambda: 1, a })).toThrow(/^Expected `a` to be a number in \(0, Infinity\), got `/)
})
