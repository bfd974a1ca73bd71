/**
 * Every file of the folder: solves a problem with a known solution, leaves its arguments alone, takes beta as a number
 * or from run to run.
 */
import l0 from '../../ts/penalties/l0'
import type { Splitting } from '../../ts/tensor/kinds'
import { plan } from '../../ts/tensor/plan'
import type { DeviceTensor } from '../../ts/tensor/device_tensor'
import type { Tensor } from '../../ts/tensor/tensor'
import { makeMethod, methodNames } from '../../ts/training/registry'
import { numbers, useWorker } from '../support/worker'

const worker = useWorker()
/** Methods keep lists of tensors by name. */
type State = Readonly<Record<string, readonly Tensor[]>>
const put = (values: readonly number[]): DeviceTensor =>
  worker().put(Float32Array.from(values), [1, values.length, 1, 1])

/** Gradient descent on ||w - a||^2 / 2 with the splitting method; all of it in one plan for each step, 30 an epoch. */
async function solve(
  method: Splitting,
  a: readonly number[],
  steps: number,
): Promise<{ w: number[]; replaced: number[] }> {
  const target = put(a)
  const init = plan('init', (w: Tensor) => method.init([w]) as State, { session: worker() })
  const step = plan(
    'step',
    (w: Tensor, state: State, lr: Tensor) => {
      const [pulled] = method.pull([w], state, lr)
      const next = pulled!.sub(w.sub(target).mul(lr))
      return { w: next, state: method.step([next], state) as State }
    },
    { session: worker() },
  )
  const replace = plan('replace', (w: Tensor, state: State) => method.replace([w], state)[0]!, { session: worker() })
  const renew = plan('renew', (w: Tensor, state: State) => (method.renew?.([w], state) ?? state) as State, {
    session: worker(),
  })
  let carry = { w: put(a), state: init(put(a)) }
  for (let t = 1; t <= steps; t++) {
    carry = step(carry.w, carry.state, 0.1)
    if (t % 30 === 0) carry = { w: carry.w, state: renew(carry.w, carry.state) }
  }
  return { w: await numbers(carry.w), replaced: await numbers(replace(carry.w, carry.state)) }
}

/** What is above the cut stays in all methods; what is below it depends on the method. */
const relaxed = { w: [2, 0.3, -3, -0.1, 0], replaced: [2, 0, -3, 0, 0], steps: 150 }
const SOLUTIONS = {
  // u = 0 and w = a / (1 + beta)
  rvsm: relaxed,
  rgsm: relaxed,
  // z = 0, v = a and w = 0
  admm: { w: [2, 0, -3, 0, 0], replaced: [2, 0, -3, 0, 0], steps: 1200 },
  // In 30 batches v grows past the cut and z comes back, until v starts again: see splitting/admm.test.ts.
  admm_paper: { w: [2], replaced: [2], steps: 150 },
}

describe.each(methodNames('splitting'))('%s', (name) => {
  const make = (beta: number | Tensor): Splitting =>
    makeMethod('splitting', name, { beta, penalty: l0({ lambda: 0.5 }) })
  const sparse = name.startsWith('admm') ? 'z' : 'u'
  const stateOf = (y: Tensor): State => (sparse === 'u' ? { u: [y] } : { z: [y], v: [y] })

  const solved = SOLUTIONS[name as keyof typeof SOLUTIONS]
  test('finds the known solution of an l0 problem', async () => {
    // beta = 1, lambda = 0.5: the cut is at 1.
    const { w, replaced } = await solve(make(1), [2, 0.6, -3, -0.2, 0], solved.steps)
    solved.w.forEach((expected, i) => expect(w[i]).toBeCloseTo(expected, 5))
    solved.replaced.forEach((expected, i) => expect(replaced[i]).toBeCloseTo(expected, 5))
  })

  test('leaves its arguments alone', async () => {
    const method = make(1)
    const [w, u] = [put([2, 0.6]), put([1, 0])]
    const run = plan(
      'all',
      (x: Tensor, y: Tensor) => {
        const state = stateOf(y)
        return [method.pull([x], state, 0.5), method.step([x], state), method.renew?.([x], state) ?? []]
      },
      { session: worker() },
    )
    run(w, u)
    expect([await numbers(w), await numbers(u)]).toEqual([
      [2, Math.fround(0.6)],
      [1, 0],
    ])
  })

  test('beta may change from run to run', async () => {
    const run = plan(
      'pull and replace',
      (w: Tensor, beta: Tensor) => {
        const method = make(beta)
        const state = method.init([w])
        return [method.pull([w], state, 0.5)[0]!, (method.init([w]) as State)[sparse]![0]!]
      },
      { session: worker() },
    )
    const w = put([2, 0.6])
    // beta 1 cuts at 1; beta 4 at 0.5.
    const [pulled1, z1] = run(w, 1)
    expect((await numbers(pulled1!))[1]).toBeLessThan(0.6)
    expect(await numbers(z1!)).toEqual([2, 0])
    const [pulled4, z4] = run(w, 4)
    expect(await numbers(pulled4!)).toEqual([2, Math.fround(0.6)])
    expect(await numbers(z4!)).toEqual([2, Math.fround(0.6)])
  })

  test.each([0, -1, NaN])('refuses beta = %p', (beta) => {
    expect(() => make(beta)).toThrow(`Expected \`beta\` to be a number in (0, Infinity), got \`${beta}\` (number)`)
  })
})
