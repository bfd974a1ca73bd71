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

/** Gradient descent on ||w - a||^2 / 2 with the splitting method; all of it in one plan for each step. */
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
  let carry = { w: put(a), state: init(put(a)) }
  for (let t = 0; t < steps; t++) carry = step(carry.w, carry.state, 0.1)
  return { w: await numbers(carry.w), replaced: await numbers(replace(carry.w, carry.state)) }
}

describe.each(methodNames('splitting'))('%s', (name) => {
  const make = (beta: number | Tensor): Splitting =>
    makeMethod('splitting', name, { beta, penalty: l0({ lambda: 0.5 }) })

  test('finds the known solution of an l0 problem within 150 steps', async () => {
    // beta = 1, lambda = 0.5: the cut is at 1. Above it w = u = a; below it u = 0 and w = a / (1 + beta).
    const { w, replaced } = await solve(make(1), [2, 0.6, -3, -0.2, 0], 150)
    ;[2, 0.3, -3, -0.1, 0].forEach((expected, i) => expect(w[i]).toBeCloseTo(expected, 5))
    ;[2, 0, -3, 0, 0].forEach((expected, i) => expect(replaced[i]).toBeCloseTo(expected, 5))
  })

  test('leaves its arguments alone', async () => {
    const method = make(1)
    const [w, u] = [put([2, 0.6]), put([1, 0])]
    const run = plan(
      'all',
      (x: Tensor, y: Tensor) => [method.pull([x], { u: [y] }, 0.5), method.step([x], { u: [y] })],
      {
        session: worker(),
      },
    )
    run(w, u)
    expect([await numbers(w), await numbers(u)]).toEqual([
      [2, Math.fround(0.6)],
      [1, 0],
    ])
  })

  test('beta may change from run to run', async () => {
    const run = plan(
      'pull and step',
      (w: Tensor, u: Tensor, beta: Tensor) => {
        const method = make(beta)
        return [method.pull([w], { u: [u] }, 0.5)[0]!, (method.step([w], { u: [u] }) as State)['u']![0]!]
      },
      { session: worker() },
    )
    // beta 1 cuts at 1; beta 4 at 0.5.
    const [pulled1, u1] = run(put([2, 0.6]), put([2, 0]), 1)
    expect((await numbers(pulled1!)).map((x) => Number(x.toFixed(6)))).toEqual([2, 0.3])
    expect(await numbers(u1!)).toEqual([2, 0])
    const [pulled4, u4] = run(put([2, 0.6]), put([2, 0]), 4)
    expect((await numbers(pulled4!)).map((x) => Number(x.toFixed(6)))).toEqual([2, -0.6])
    expect(await numbers(u4!)).toEqual([2, Math.fround(0.6)])
  })

  test.each([0, -1, NaN])('refuses beta = %p', (beta) => {
    expect(() => make(beta)).toThrow(`Expected \`beta\` to be a number in (0, Infinity), got \`${beta}\` (number)`)
  })
})
