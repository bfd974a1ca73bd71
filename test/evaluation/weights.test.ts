/** Shares, histograms and pictures of weights, against the same numbers counted here. */
import { isDead, layerSparsity } from '../../ts/evaluation/layers'
import { sparsity } from '../../ts/evaluation/sparsity'
import { layerImage, magnitudeQuantile, weightCounts } from '../../ts/evaluation/weights'
import { evenEdges, histogramOf } from '../../ts/records/histogram'
import { assign, use } from '../../ts/tensor/functions'
import type { Model } from '../../ts/tensor/model'
import { plan } from '../../ts/tensor/plan'
import { numbers, useWorker } from '../support/worker'

const worker = useWorker()

/** A network whose second convolution has lost two input channels and whose first skip path is gone. */
async function pruned(): Promise<Model> {
  const model = await worker().model('resnet8', { width: 4, seed: 0 })
  const [second, skip] = [model.parameters('conv')[1]!, model.parameters('downsample')[0]!]
  const clear = plan(
    'clear',
    () => {
      assign(second, use(second).where(use(second).onesLike().cumsum(1).gt(2), 0))
      assign(skip, use(skip).mul(0))
    },
    { session: worker() },
  )
  clear()
  return model
}

test('counts of the worker are those of the weights', async () => {
  const model = await pruned()
  const all = (await Promise.all(model.parameters(['conv', 'downsample']).map(numbers))).flat()
  // float32, as the weights are
  const edges = evenEdges(-0.3, 0.3, 40)
  const counted = await weightCounts({ session: worker(), model }, edges)
  const expected = histogramOf(
    all.filter((w) => w !== 0),
    edges.map(Math.fround),
  )
  expect(counted.total).toBe(all.length)
  expect(counted.zero).toBe(2 * 4 * 9 + 4 * 8)
  expect(counted.small).toBe(all.filter((w) => Math.abs(w) < 1e-3).length)
  expect(counted.small).toBeGreaterThan(counted.zero)
  expect(counted.histogram).toEqual({ ...expected, edges })
  const magnitudes = all.map(Math.abs).sort((a, b) => a - b)
  expect(await magnitudeQuantile({ session: worker(), model }, 0.9)).toBe(magnitudes[Math.ceil(0.9 * all.length) - 1])
})

test('a picture has a row an output filter and a column an input channel', async () => {
  const model = await pruned()
  const name = model.names('conv')[1]!
  const w = await numbers(model.parameters('conv')[1]!)
  const limit = 0.2
  const { width, height, levels } = await layerImage(worker(), model, name, limit)
  expect([width, height]).toEqual([12, 12])
  const at = (out: number, channel: number, y: number, x: number): number =>
    levels[(out * 3 + y) * width + channel * 3 + x]!
  expect([at(0, 0, 0, 0), at(3, 1, 2, 2)]).toEqual([128, 128])
  for (const [out, channel, y, x] of [[2, 3, 1, 2] as const, [0, 2, 2, 0] as const]) {
    const value = w[((out * 4 + channel) * 3 + y) * 3 + x]!
    const level = 128 + Math.max(-127, Math.min(127, (value / limit) * 127))
    expect(Math.abs(at(out, channel, y, x) - level)).toBeLessThanOrEqual(0.501)
  }
  await expect(layerImage(worker(), model, 'fc.weight', 1)).rejects.toThrow('Expected `name` to be a convolution of')
})

test('layer by layer, with what is dead', async () => {
  const model = await pruned()
  const zeros = await sparsity({ session: worker(), model })
  const layers = await layerSparsity({ session: worker(), model }, zeros)
  expect(layers.map(({ inputChannels }) => inputChannels.zero).filter((zero) => zero > 0)).toEqual([2, 4])
  expect(
    layers.filter(isDead).map(({ name, downsample }) => [name.endsWith('downsample.0.weight'), downsample]),
  ).toEqual([[true, true]])
  expect(layers.flatMap(({ norms }) => norms)).toEqual(zeros.channelNorms)
})
