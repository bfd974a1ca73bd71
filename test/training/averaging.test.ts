/** Averaged weights: against a recursion written out here, without an influence on training, resumed to the same bits. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assign, use } from '../../ts/tensor/functions'
import { plan } from '../../ts/tensor/plan'
import type { Dataset, Model } from '../../ts/tensor/session'
import type { Tensor } from '../../ts/tensor/tensor'
import { openAveraging } from '../../ts/training/averaging'
import { checkConfig } from '../../ts/training/check'
import { rgsm, type TrainConfig } from '../../ts/training/config'
import { presets } from '../../ts/training/presets'
import { train, type TrainFolder, type TrainOptions, type TrainResult } from '../../ts/training/train'
import { smokeConfig } from '../support/configs'
import { numbers, useWorker } from '../support/worker'

const worker = useWorker()
let data: Dataset
let root: string
beforeAll(async () => {
  data = await worker().data('fashion_mnist_subset', { split: 'train' })
})
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'feynkac-averaging-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const tiny: TrainConfig = {
  ...smokeConfig({ members: 2, seed: 5 }),
  network: {
    name: 'enresnet8',
    options: { members: 1, noise: 0.1, width: 4, stem_stride: 2, channels: 1, classes: 10 },
  },
  epochs: 3,
  batchSize: 24,
  images: 60,
  validation: { count: 20, selection: 'last', attack: { stepSize: 0.05, iterations: 2, randomStart: true } },
}

const network = (): Promise<Model> => worker().model(tiny.network.name, { ...tiny.network.options, seed: tiny.seed })

async function run(
  config: TrainConfig,
  hooks: Pick<TrainOptions, 'folder' | 'signal' | 'onEpoch'> = {},
): Promise<TrainResult & { weights: number[][]; buffers: number[][] }> {
  const model = await network()
  const result = await train({ session: worker(), model, data, config, ...hooks })
  return {
    ...result,
    weights: await Promise.all(model.parameters().map(numbers)),
    buffers: await Promise.all(model.buffers().map(numbers)),
  }
}

test('the average is the weighted mean of the weights after each step', async () => {
  const model = await network()
  const decay = 0.8
  const averaging = openAveraging({ session: worker(), model, data, config: { ...tiny, averaging: { decay } } })!
  const [first] = model.parameters()
  const before = await numbers(first!)
  const step = plan(
    'step',
    (size: Tensor) => {
      assign(first!, use(first!).add(size))
      averaging.update()
    },
    { session: worker() },
  )
  for (const size of [1, 2, 4]) step(size)
  await averaging.enter(Array.from({ length: 48 }, (_, i) => i))
  // Shifts of 1, 3 and 7 with weights decay^2, decay and 1.
  const shift = (1 * decay ** 2 + 3 * decay + 7) / (decay ** 2 + decay + 1)
  const averaged = await numbers(first!)
  averaged.forEach((w, i) => expect(w).toBeCloseTo(before[i]! + shift, 5))
  averaging.leave()
  const after = await numbers(first!)
  after.forEach((w, i) => expect(w).toBeCloseTo(before[i]! + 7, 5))
  averaging.close()
})

test('averages change neither training nor its random numbers, and decay 0 ends with the last weights', async () => {
  const plain = await run(tiny)
  const last = await run({ ...tiny, averaging: { decay: 0 } })
  const averaged = await run({ ...tiny, averaging: { decay: 0.9 } })
  const losses = ({ history }: TrainResult): number[] => history.map(({ loss }) => loss)
  expect(losses(last)).toEqual(losses(plain))
  expect(losses(averaged)).toEqual(losses(plain))
  expect(last.weights).toEqual(plain.weights)
  expect(last.buffers).not.toEqual(plain.buffers)
  expect(averaged.weights).not.toEqual(plain.weights)
})

test('a stop and a resume end with the same bits, and the saved network is the averaged one', async () => {
  const config: TrainConfig = { ...tiny, averaging: { decay: 0.9 } }
  const folder = (name: string): TrainFolder => ({
    path: (file) => join(root, `${name}.${file}`),
    append: () => undefined,
  })
  const [whole, parts] = [folder('whole'), folder('parts')]
  const expected = await run(config, { folder: whole })
  const stop = new AbortController()
  const onEpoch = ({ epoch }: { epoch: number }): void => void (epoch === 2 && stop.abort())
  await expect(run(config, { folder: parts, signal: stop.signal, onEpoch })).rejects.toThrow()
  expect(await run(config, { folder: parts })).toEqual(expected)
  const tensors = (files: TrainFolder): string => {
    const bytes = readFileSync(files.path('model.safetensors'))
    return createHash('sha256')
      .update(bytes.subarray(8 + Number(bytes.readBigUInt64LE(0))))
      .digest('hex')
  }
  expect(tensors(parts)).toBe(tensors(whole))
  const saved = await worker().load(whole.path('model.safetensors'))
  expect(await Promise.all(saved.parameters().map(numbers))).toEqual(expected.weights)
  expect(await Promise.all(saved.buffers().map(numbers))).toEqual(expected.buffers)
})

test('what cannot be averaged is refused, and configurations without averaging do not mention it', () => {
  const check = (more: object) => () => checkConfig({ ...tiny, ...more }, 6000)
  expect(check({ averaging: { decay: 1 } })).toThrow('Expected `averaging.decay` to be below 1, got `1` (number)')
  expect(check({ averaging: null })).toThrow(/^Expected `averaging` to be an object with decay, got `null`/)
  expect(check({ averaging: { decay: 0.9 }, splitting: rgsm({ beta: 1, lambda1: 0.1 }) })).toThrow(
    /^Expected no `averaging` with the splitting method rgsm, whose zeros it would undo, got /,
  )
  // Their hashes are those of the records that exist.
  for (const { training } of Object.values(presets)) expect(training).not.toHaveProperty('averaging')
})
