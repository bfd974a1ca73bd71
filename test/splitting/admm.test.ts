/** ADMM and the variant of the published code, step by step, against numbers worked out by hand. */
import sparseChannels from '../../ts/penalties/sparse_channels'
import sparseWeights from '../../ts/penalties/sparse_weights'
import admm from '../../ts/splitting/admm'
import admmPaper from '../../ts/splitting/admm_paper'
import { plan } from '../../ts/tensor/plan'
import type { DeviceTensor } from '../../ts/tensor/device_tensor'
import type { Splitting } from '../../ts/tensor/kinds'
import type { Tensor } from '../../ts/tensor/tensor'
import { numbers, useWorker } from '../support/worker'

type State = { readonly z: readonly Tensor[]; readonly v: readonly Tensor[] }

const worker = useWorker()
const put = (values: readonly number[]): DeviceTensor =>
  worker().put(Float32Array.from(values), [1, values.length, 1, 1])

/** z and v after `init`, and after each following call of `part` with other weights. */
async function states(
  method: Splitting<State>,
  part: (w: readonly Tensor[], state: State) => State,
  weights: readonly (readonly number[])[],
): Promise<[z: number[], v: number[]][]> {
  const all = plan(
    'states',
    (ws: Tensor[]) => {
      const seen = [method.init([ws[0]!])]
      for (const w of ws.slice(1)) seen.push(part([w], seen.at(-1)!))
      return seen.map(({ z, v }) => [z[0]!, v[0]!])
    },
    { session: worker() },
  )
  const pairs = all(weights.map(put) as unknown as Tensor[]) as unknown as [DeviceTensor, DeviceTensor][]
  return Promise.all(pairs.map(async ([z, v]) => [await numbers(z), await numbers(v)]))
}

test('the duals of ADMM carry over epochs: z <- proj(w + v), v <- v + w - z', async () => {
  const method = admm({ beta: 0.5, penalty: sparseWeights({ share: 0.5 }) })
  const found = await states(method, method.renew, [
    [1, -2, 0.5, 4],
    [1, -2, 0.5, 4],
    [1.25, -2, 0.25, 4],
    [1.25, -2, 0, 3],
  ])
  expect(found).toEqual([
    // the two largest stay; no duals yet
    [
      [0, -2, 0, 4],
      [0, 0, 0, 0],
    ],
    [
      [0, -2, 0, 4],
      [1, 0, 0.5, 0],
    ],
    // w + v = (2.25, -2, 0.75, 4): the first entry comes back by its dual, the second goes
    [
      [2.25, 0, 0, 4],
      [0, -2, 0.75, 0],
    ],
    // w + v = (1.25, -4, 0.75, 3)
    [
      [0, -4, 0, 3],
      [1.25, 0, 0.75, 0],
    ],
  ])
})

test('the pull is w - lr * rho * (w - z + v), and a batch leaves the state alone', async () => {
  const method = admm({ beta: 0.5, penalty: sparseWeights({ share: 0.5 }) })
  const run = plan(
    'pull',
    (w: Tensor, z: Tensor, v: Tensor, lr: Tensor) => method.pull([w], { z: [z], v: [v] }, lr)[0]!,
    { session: worker() },
  )
  // lr rho = 0.25: 1 - 0.25 (1 - 0 + 2), -2 - 0.25 (-2 + 2 + 0)
  expect(await numbers(run(put([1, -2]), put([0, -2]), put([2, 0]), 0.5))).toEqual([0.25, -2])
  const state = { z: [], v: [] }
  expect(method.step([], state)).toBe(state)
})

test('the result of ADMM has exactly the share of zeros, that of the published variant has none', async () => {
  const w = [0.5, -0.25, 2, 1, -3, 0.125, 0.75, -1.5, 1.25, 4]
  const results = await Promise.all(
    (
      [
        [admm, 'magnitude'],
        [admmPaper, 'paper'],
      ] as const
    ).map(async ([make, rule]) => {
      const method: Splitting<State> = make({ beta: 0.01, penalty: sparseWeights({ share: 0.5, rule }) })
      const result = plan('result', (x: Tensor) => method.replace([x], method.init([x]))[0]!, { session: worker() })
      return numbers(result(put(w)))
    }),
  )
  expect(results).toEqual([[0, 0, 2, 0, -3, 0, 0, -1.5, 1.25, 4], w])
})

test('the published variant renews z and v in every batch and forgets v at the end of an epoch', async () => {
  const method = admmPaper({ beta: 0.01, penalty: sparseChannels({ share: 0.5, rule: 'paper' }) })
  // the percentile 50 of the norms (1, 2, 3) is 2: both channels up to it go
  const first = [
    [0, 0, 3],
    [1, -2, 0],
  ]
  const batches = await states(method, method.step, [
    [1, -2, 3],
    [1, -2, 3],
  ])
  // w + v = (2, -4, 3), norms 2, 4, 3: the percentile is 3, the second comes back
  expect(batches).toEqual([
    first,
    [
      [0, -4, 0],
      [2, 0, 3],
    ],
  ])
  const epochs = await states(method, method.renew, [
    [5, 6, 7],
    [1, -2, 3],
  ])
  expect(epochs[1]).toEqual(first)
})
