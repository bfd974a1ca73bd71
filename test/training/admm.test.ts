/** Training with ADMM: real zeros in what is saved, duals that survive a stop, configurations that are checked. */
import { checkConfig } from '../../ts/training/check'
import { admm, rgsm, rvsm, type TrainConfig } from '../../ts/training/config'
import { smokeConfig, tinyConfig } from '../support/configs'
import { train } from '../../ts/training/train'
import { openWork } from '../../ts/training/work'
import { channelNorms } from '../../ts/penalties/shared/groups'
import { int, plan } from '../../ts/tensor/plan'
import type { Dataset } from '../../ts/tensor/session'
import type { Model } from '../../ts/tensor/model'
import type { Tensor } from '../../ts/tensor/tensor'
import { hash, useFolder } from '../support/run_files'
import { numbers, useWorker } from '../support/worker'

const worker = useWorker()
const folder = useFolder()
let data: Dataset
beforeAll(async () => {
  data = await worker().data('fashion_mnist_subset', { split: 'train' })
})

const base = smokeConfig({ seed: 5 })
const tiny = tinyConfig({
  epochs: 2,
  optimiser: { ...base.optimiser, resetMomentumEachEpoch: false },
  splitting: admm({ rho: 0.5, percent: 50, of: 'weights' }),
})

const open = (config: TrainConfig): Promise<Model> =>
  worker().model(config.network.name, { ...config.network.options, seed: config.seed })

/** Zeros and size of every convolution: of its entries, or of its channel norms. */
async function zeros(model: Model, of: 'weights' | 'channels'): Promise<[zero: number, n: number][]> {
  const norms = plan('norms', (w: Tensor) => channelNorms(w), { session: worker() })
  return Promise.all(
    model.parameters(['conv', 'downsample']).map(async (weight) => {
      const sizes = await numbers(of === 'weights' ? weight : norms(weight))
      return [sizes.filter((x) => x === 0).length, sizes.length]
    }),
  )
}

test.each(['weights', 'channels'] as const)('the saved network has exactly the share of zero %s', async (of) => {
  const model = await open(tiny)
  const config = { ...tiny, splitting: admm({ rho: 0.5, percent: 50, of }) }
  const files = folder(of)
  const { history } = await train({ session: worker(), model, data, config, folder: files })
  const found = await zeros(model, of)
  expect(found.map(([zero]) => zero)).toEqual(found.map(([, n]) => Math.floor(n / 2)))
  const saved = await worker().load(files.path('model.safetensors'))
  expect(await zeros(saved, of)).toEqual(found)
  const dead = (await zeros(model, 'channels')).reduce((sum, [zero]) => sum + zero, 0)
  expect(history.at(-1)!.inputChannels.zero).toBe(dead)
})

test('the variant of the published code leaves no zeros at all', async () => {
  const model = await open(tiny)
  const config = { ...tiny, splitting: admm({ rho: 0.5, percent: 50, of: 'weights', variant: 'paper' }) }
  await train({ session: worker(), model, data, config })
  expect((await zeros(model, 'weights')).map(([zero]) => zero)).toEqual(Array(9).fill(0))
})

test.each(['correct', 'paper'] as const)('a stop and a resume give the same bits (%s)', async (variant) => {
  const config = { ...tiny, splitting: admm({ rho: 0.5, percent: 50, of: 'channels', variant }) }
  const [whole, parts] = [folder('whole'), folder('parts')]
  const expected = await train({ session: worker(), model: await open(config), data, config, folder: whole })
  const stop = new AbortController()
  const onEpoch = ({ epoch }: { epoch: number }): void => void (epoch === 1 && stop.abort(new Error('stopped')))
  const first = train({
    ...{ session: worker(), model: await open(config), data, config, folder: parts },
    ...{ onEpoch, signal: stop.signal },
  })
  await expect(first).rejects.toThrow('stopped')
  const rest = await train({ session: worker(), model: await open(config), data, config, folder: parts })
  expect(rest).toEqual(expected)
  for (const name of ['state.safetensors', 'model.safetensors']) expect(hash(parts, name)).toBe(hash(whole, name))
})

test('training goes on from the dense weights and their statistics', async () => {
  const model = await open(tiny)
  const work = openWork({ session: worker(), model, data, config: tiny, validation: [] })
  const dead = async (): Promise<number> => (await zeros(model, 'weights')).reduce((sum, [zero]) => sum + zero, 0)
  work.begin()
  work.step(24)(
    worker().put(
      BigInt64Array.from({ length: 24 }, (_, i) => BigInt(i)),
      [24],
    ),
    int(0),
    0.1,
  )
  expect(await dead()).toBe(0)
  const statistics = (): Promise<number[][]> => Promise.all(model.buffers().map(numbers))
  const before = await statistics()
  await work.end(24)
  await work.enterResult(Array.from({ length: 72 }, (_, i) => i))
  expect(await dead()).toBeGreaterThan(500)
  expect(await statistics()).not.toEqual(before)
  work.leaveResult()
  expect(await dead()).toBe(0)
  expect(await statistics()).toEqual(before)
  work.close()
})

test('configurations are plain JSON, and those of RVSM and RGSM stay what they were', () => {
  const all = [
    admm({ rho: 1e-2, percent: 50, of: 'weights' }),
    admm({ rho: 1e-2, percent: 80, of: 'channels', variant: 'paper' }),
    rvsm({ beta: 0.1, lambda: 1e-6 }),
    rgsm({ beta: 1, lambda1: 0.05 }),
    base.splitting,
  ]
  expect(all.map((splitting) => JSON.stringify(splitting))).toEqual([
    '{"kind":"admm","beta":0.01,"penalty":{"name":"sparse_weights","options":{"share":0.5}}}',
    '{"kind":"admm_paper","beta":0.01,"penalty":{"name":"sparse_channels","options":{"share":0.8,"rule":"paper"}}}',
    '{"kind":"rvsm","beta":0.1,"penalty":{"name":"l0","options":{"lambda":0.000001}}}',
    '{"kind":"rgsm","beta":1,"penalty":{"name":"group_l0","options":{"lambda":0.05}}}',
    '{"kind":"none"}',
  ])
  for (const splitting of all) expect(checkConfig({ ...base, splitting }, 6000).splitting).toBe(splitting)
})

test.each([
  [{ rho: 1, percent: 101, of: 'weights' }, 'Expected `percent` to be a number in [0, 100], got `101` (number)'],
  [{ rho: 1, percent: 5, of: 'filters' }, 'Expected `of` to be one of weights, channels, got `"filters"` (string)'],
])('refuses %p', (options, message) => {
  expect(() => admm(options as Parameters<typeof admm>[0])).toThrow(new RangeError(message))
})

test('a bad share is refused before anything is loaded', () => {
  const splitting = { kind: 'admm', beta: 1, penalty: { name: 'sparse_weights', options: { share: 5 } } }
  expect(() => checkConfig({ ...base, splitting }, 6000)).toThrow(
    new RangeError('Expected `share` to be a number in [0, 1], got `5` (number)'),
  )
})
