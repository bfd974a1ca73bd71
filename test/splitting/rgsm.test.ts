/** RGSM against RVSM, and what every iterate of RGSM looks like. */
import groupL0 from '../../ts/penalties/group_l0'
import l0 from '../../ts/penalties/l0'
import rgsm from '../../ts/splitting/rgsm'
import rvsm from '../../ts/splitting/rvsm'
import type { Splitting } from '../../ts/tensor/kinds'
import { plan } from '../../ts/tensor/plan'
import type { Tensor } from '../../ts/tensor/tensor'
import { uniform } from '../support/draws'
import { numbers, useWorker } from '../support/worker'

const worker = useWorker()

/** The iterates (w, u) of gradient descent on ||w - a||^2 / 2 from w. */
async function iterates(
  method: Splitting<{ readonly u: readonly Tensor[] }>,
  shape: number[],
  steps: number,
): Promise<number[][]> {
  const n = shape.reduce((a, b) => a * b, 1)
  const target = worker().put(uniform(1, n, -1, 1), shape)
  const init = plan('init', (w: Tensor) => ({ w, u: method.init([w]).u[0]! }), { session: worker() })
  const step = plan(
    'step',
    (w: Tensor, u: Tensor, lr: Tensor) => {
      const next = method.pull([w], { u: [u] }, lr)[0]!.sub(w.sub(target).mul(lr))
      return { w: next, u: method.step([next], { u: [u] }).u[0]! }
    },
    { session: worker() },
  )
  let carry = init(worker().put(uniform(2, n, -1, 1), shape))
  const seen: number[][] = []
  for (let t = 0; t < steps; t++) {
    seen.push(await numbers(carry.w), await numbers(carry.u))
    carry = step(carry.w, carry.u, 0.2)
  }
  return seen
}

test('with channels of one entry RGSM is RVSM, iterate by iterate, to the last bit', async () => {
  const shape = [1, 40, 1, 1]
  const groups = await iterates(rgsm({ beta: 0.7, penalty: groupL0({ lambda: 0.05 }) }), shape, 25)
  expect(groups).toEqual(await iterates(rvsm({ beta: 0.7, penalty: l0({ lambda: 0.05 }) }), shape, 25))
  expect(groups.flat().filter((x) => x === 0).length).toBeGreaterThan(50)
})

test('no channel of u has a norm in (0, sqrt(2 lambda1 / beta)]', async () => {
  const [outputs, inputs] = [4, 12]
  const [beta, lambda1] = [0.5, 0.35]
  const all = await iterates(rgsm({ beta, penalty: groupL0({ lambda: lambda1 }) }), [outputs, inputs, 1, 1], 20)
  const norms = all
    .filter((_, i) => i % 2 === 1)
    .flatMap((u) => Array.from({ length: inputs }, (_, c) => Math.hypot(...u.filter((_x, i) => i % inputs === c))))
  const threshold = Math.sqrt((2 * lambda1) / beta)
  expect(norms.filter((norm) => norm > 0 && norm <= threshold)).toEqual([])
  expect(norms.filter((norm) => norm === 0).length).toBeGreaterThan(10)
  expect(norms.filter((norm) => norm > threshold).length).toBeGreaterThan(5)
})
