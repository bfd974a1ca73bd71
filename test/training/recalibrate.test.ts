/** New BatchNorm statistics: against a convolution written out here, single passes, and without an influence of the old ones. */
import { assign, use } from '../../ts/tensor/functions'
import { plan } from '../../ts/tensor/plan'
import type { Dataset, Model } from '../../ts/tensor/session'
import { recalibrate } from '../../ts/training/recalibrate'
import linf from '../../ts/threats/linf'
import fgsm from '../../ts/attacks/fgsm'
import { numbers, useWorker } from '../support/worker'

const worker = useWorker()
let data: Dataset
beforeAll(async () => {
  data = await worker().data('fashion_mnist_subset', { split: 'train' })
})

const WIDTH = 3
const network = (options: object = {}): Promise<Model> =>
  worker().model('enresnet8', {
    ...{ members: 1, noise: 0, width: WIDTH, stem_stride: 2, channels: 1, classes: 10, seed: 1 },
    ...options,
  })

/** The buffers by name. */
async function statistics(model: Model): Promise<Record<string, number[]>> {
  const values = await Promise.all(model.buffers().map(numbers))
  return Object.fromEntries(model.description.buffers.map(({ name }, i) => [name, values[i]!]))
}

/** The stem's outputs for some images, by channel: a 3 x 3 convolution of stride 2 with a border of zeros. */
async function stem(model: Model, first: number, count: number): Promise<number[][]> {
  const images = plan('images', () => use(data.images).narrow(0, first, count), { session: worker() })
  const x = await numbers(images())
  const w = await numbers(model.parameters()[0]!)
  const pixel = (b: number, r: number, c: number): number =>
    r < 0 || c < 0 || r > 27 || c > 27 ? 0 : x[(b * 28 + r) * 28 + c]!
  return Array.from({ length: WIDTH }, (_, o) =>
    Array.from({ length: count * 14 * 14 }, (_unused, i) => {
      const [b, r, c] = [Math.floor(i / 196), 2 * (Math.floor(i / 14) % 14), 2 * (i % 14)]
      return [0, 1, 2].reduce(
        (sum, k) => sum + [0, 1, 2].reduce((row, l) => row + w[o * 9 + k * 3 + l]! * pixel(b, r + k - 1, c + l - 1), 0),
        0,
      )
    }),
  )
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length
const variance = (values: readonly number[]): number => {
  const centre = mean(values)
  return values.reduce((sum, x) => sum + (x - centre) ** 2, 0) / (values.length - 1)
}

test('the first layer has the mean of the batches of its input, written out here', async () => {
  const model = await network()
  expect(model.names()[0]).toBe('ensemble.0.conv1.weight')
  await recalibrate({ session: worker(), model, data, batch: 20, batches: 3 })
  const batches = await Promise.all([0, 20, 40].map((first) => stem(model, first, 20)))
  const found = await statistics(model)
  for (let o = 0; o < WIDTH; o++) {
    expect(found['ensemble.0.layer1.0.bn1.running_mean']![o]).toBeCloseTo(mean(batches.map((b) => mean(b[o]!))), 4)
    expect(found['ensemble.0.layer1.0.bn1.running_var']![o]).toBeCloseTo(mean(batches.map((b) => variance(b[o]!))), 4)
  }
  expect(found['ensemble.0.layer1.0.bn1.num_batches_tracked']).toEqual([3])
})

test('every layer has the mean of single passes, whatever stood there before', async () => {
  const model = await network()
  const moments = model.buffers().filter((_, i) => /running/.test(model.description.buffers[i]!.name))
  const singles: number[][][] = []
  for (const start of [0, 1, 2]) {
    const pass = plan(
      'pass',
      () => {
        for (const moment of moments) assign(moment, use(moment).zerosLike())
        model.call(use(data.images).narrow(0, 30 * start, 30), { mode: 'train' })
      },
      { session: worker() },
    )
    pass()
    // The networks here have momentum 0.1.
    singles.push((await Promise.all(moments.map(numbers))).map((values) => values.map((x) => 10 * x)))
  }
  const spoil = plan('spoil', () => moments.forEach((moment) => assign(moment, use(moment).fullLike(7))), {
    session: worker(),
  })
  spoil()
  await recalibrate({ session: worker(), model, data, batch: 30, batches: 3 })
  const found = await Promise.all(moments.map(numbers))
  found.forEach((values, i) =>
    values.forEach((value, j) => {
      const expected = mean(singles.map((single) => single[i]![j]!))
      expect(Math.abs(value - expected)).toBeLessThan(1e-4 * (1 + Math.abs(expected)))
    }),
  )
})

test('positions choose the images, attacks change them, noise follows the seed, weights stay', async () => {
  const model = await network({ noise: 0.5 })
  const run = async (options: object): Promise<Record<string, number[]>> => {
    await recalibrate({ session: worker(), model, data, batch: 10, batches: 2, ...options })
    return statistics(model)
  }
  const weights = await Promise.all(model.parameters().map(numbers))
  const plain = await run({})
  expect(await run({})).toEqual(plain)
  expect(await run({ positions: Array.from({ length: 20 }, (_, i) => i) })).toEqual(plain)
  const stemMean = 'ensemble.0.layer1.0.bn1.running_mean'
  expect((await run({ positions: Array.from({ length: 20 }, (_, i) => 20 + i) }))[stemMean]).not.toEqual(
    plain[stemMean],
  )
  const seeded = await run({ seed: 1 })
  expect(seeded[stemMean]).toEqual(plain[stemMean])
  expect(seeded['ensemble.0.bn.running_mean']).not.toEqual(plain['ensemble.0.bn.running_mean'])
  const attack = { attack: fgsm({ epsilon: 0.2 }), threat: linf({ epsilon: 0.2 }) }
  expect((await run({ attack }))[stemMean]).not.toEqual(plain[stemMean])
  expect(await Promise.all(model.parameters().map(numbers))).toEqual(weights)
})

test('more batches than there are images are refused', async () => {
  const model = await network()
  await expect(recalibrate({ session: worker(), model, data, batch: 100, batches: 61 })).rejects.toThrow(
    new RangeError('Expected `batches` to be an integer in [1, 60], got `61` (number)'),
  )
})
