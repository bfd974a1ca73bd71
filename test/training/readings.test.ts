/** The other readings of RVSM and RGSM: the quadratic term in the loss, and zeros only in what is saved. */
import { rowOf, rowText } from '../../ts/cli/rows'
import { checkConfig } from '../../ts/training/check'
import { channelTarget, rgsm, rvsm, type TrainConfig } from '../../ts/training/config'
import { train } from '../../ts/training/train'
import { openWork } from '../../ts/training/work'
import { int } from '../../ts/tensor/plan'
import type { Dataset } from '../../ts/tensor/session'
import type { Readings } from '../../ts/splitting/shared/readings'
import { smokeConfig, tinyConfig } from '../support/configs'
import { useFolder } from '../support/run_files'
import { numbers, useWorker } from '../support/worker'

const worker = useWorker()
const folder = useFolder()
let data: Dataset
beforeAll(async () => {
  data = await worker().data('fashion_mnist_subset', { split: 'train' })
})

const base = smokeConfig({ seed: 5 })
const tiny = tinyConfig({ epochs: 1 })
/** A threshold of 0.3, which takes many weights and not all. */
const split = (readings: Readings): TrainConfig['splitting'] => rvsm({ beta: 1, lambda: 0.045, ...readings })

/** The convolution weights after that many steps, one list. */
async function weightsAfter(steps: number, config: TrainConfig): Promise<number[]> {
  const model = await worker().model(config.network.name, { ...config.network.options, seed: 0 })
  const work = openWork({ session: worker(), model, data, config, validation: [] })
  const order = worker().put(
    BigInt64Array.from({ length: 72 }, (_, i) => BigInt(i)),
    [72],
  )
  work.begin()
  for (let i = 0; i < steps; i++) work.step(24)(order, int(24 * i), 0.1)
  const weights = await Promise.all(model.parameters(['conv', 'downsample']).map(numbers))
  work.close()
  return weights.flat()
}

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))

test('without momentum the coupled pull is the decoupled one, with momentum it is not', async () => {
  const plain = { ...base.optimiser, momentum: 0, nesterov: false, weightDecay: 0 }
  const after = (optimiser: TrainConfig['optimiser'], reading: Readings): Promise<number[]> =>
    weightsAfter(1, { ...tiny, optimiser, splitting: split(reading) })
  const pulled = await after(plain, {})
  expect(distance(pulled, await after(plain, { coupled: true }))).toBeLessThan(1e-6)
  const none = await weightsAfter(1, { ...tiny, optimiser: plain, splitting: { kind: 'none' } })
  expect(distance(pulled, none)).toBeGreaterThan(0.02)
  // A Nesterov step is 1.9 times the gradient at first: the pull of a weight of 0.3 goes from 0.03 to 0.057.
  const [decoupled, coupled] = [await after(base.optimiser, {}), await after(base.optimiser, { coupled: true })]
  expect(distance(decoupled, coupled)).toBeGreaterThan(0.02)
  expect(distance(decoupled, coupled)).toBeLessThan(0.028)
})

test('aside: what is saved has the zeros, training goes on from the dense weights', async () => {
  const config = { ...tiny, epochs: 2, splitting: split({ aside: true }) }
  const files = folder('aside')
  const model = await worker().model(config.network.name, { ...config.network.options, seed: 5 })
  await train({ session: worker(), model, data, config, folder: files })
  const zeros = async (path: string): Promise<number> => {
    const saved = await worker().load(path)
    const all = (await Promise.all(saved.parameters(['conv', 'downsample']).map(numbers))).flat()
    return all.filter((x) => x === 0).length / all.length
  }
  expect(await zeros(files.path('model.safetensors'))).toBeGreaterThan(0.5)

  const work = openWork({ session: worker(), model, data, config, validation: [] })
  const dead = async (): Promise<number> =>
    (await numbers(model.parameters(['conv'])[1]!)).filter((x) => x === 0).length
  work.begin()
  work.step(24)(worker().put(new BigInt64Array(24), [24]), int(0), 0.1)
  const before = await dead()
  await work.end(24)
  await work.enterResult(Array.from({ length: 72 }, (_, i) => i))
  expect(await dead()).toBeGreaterThan(before)
  work.leaveResult()
  expect(await dead()).toBe(before)
  work.close()
})

test('a configuration names the reading only where it differs from the released code, and so does its row', () => {
  const both = { coupled: true, aside: true }
  expect(JSON.stringify(rvsm({ beta: 0.1, lambda: 1e-6, coupled: true }))).toBe(
    '{"kind":"rvsm","beta":0.1,"penalty":{"name":"l0","options":{"lambda":0.000001}},"options":{"coupled":true}}',
  )
  expect(rgsm({ beta: 1, lambda1: 0.05, coupled: false })).toEqual(rgsm({ beta: 1, lambda1: 0.05 }))
  expect(channelTarget({ beta: 1, channels: 0.4, by: 'cubic', ...both }).splitting).toMatchObject({ options: both })
  const config = checkConfig({ ...base, splitting: rgsm({ beta: 1, lambda1: 0.05, ...both }) }, 6000)
  expect(rowText(rowOf(config))).toBe('ResNet8 RGSM (aside, coupled) lambda1 0.05')
})

test.each([
  [{ coupled: 1 }, 'Expected `coupled` to be one of true, false, got `1` (number)'],
  [{ copled: true }, 'copled'],
])('refuses %j', (options, message) => {
  const splitting = { ...split({}), options } as TrainConfig['splitting']
  expect(() => checkConfig({ ...base, splitting }, 6000)).toThrow(message)
})
