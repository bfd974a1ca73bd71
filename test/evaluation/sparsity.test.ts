/** Sparsity with every denominator of the papers. */
import { sparsity } from '../../ts/evaluation/sparsity'
import { assign, use } from '../../ts/tensor/functions'
import { plan } from '../../ts/tensor/plan'
import { useWorker } from '../support/worker'

const worker = useWorker()

// Origin: papers A and B count 675 (627 without downsample) for ResNet20; the rest follows from the architecture.
test.each([
  ['resnet20', {}, 270_256, 675, 627, 272_282],
  ['enresnet20', { members: 2 }, 540_512, 1350, 1254, 544_564],
])(
  '%s has the published numbers of weights and channels',
  async (name, options, weights, channels, without, parameters) => {
    const model = await worker().model(name, { ...options, seed: 0 })
    const found = await sparsity({ session: worker(), model })
    expect([found.convWeights.total, found.inputChannels.total, found.inputChannelsWithoutDownsample.total]).toEqual([
      weights,
      channels,
      without,
    ])
    expect(found.parameters.total).toBe(parameters)
    expect([found.convWeights.zero, found.inputChannels.zero, found.inputChannelsWithoutDownsample.zero]).toEqual([
      0, 0, 0,
    ])
    expect(found.channelNorms).toHaveLength(channels)
    // Initialisation: N(0, 2 / (k k out)), so the expected squared norm of a channel is 2.
    const squares = found.channelNorms.map((norm) => norm * norm)
    expect(squares.reduce((a, b) => a + b) / channels).toBeCloseTo(2, 0)
  },
)

test('zero channels, zero weights and the skip path are counted apart', async () => {
  const model = await worker().model('resnet8', { width: 4, seed: 0 })
  const second = model.parameters('conv')[1]!
  const skip = model.parameters('downsample')[0]!
  const clear = plan(
    'clear',
    () => {
      // Channels 0 and 1 of a [4, 4, 3, 3] weight, and one of the four channels of the first skip convolution [8, 4, 1,
      // 1].
      const mask = use(second).onesLike().cumsum(1).gt(2)
      assign(second, use(second).where(mask, 0))
      assign(skip, use(skip).where(use(skip).onesLike().cumsum(1).gt(1), 0))
    },
    { session: worker() },
  )
  clear()
  const found = await sparsity({ session: worker(), model })
  expect(found.inputChannels.zero).toBe(3)
  expect(found.inputChannelsWithoutDownsample.zero).toBe(2)
  expect(found.convWeights.zero).toBe(2 * 4 * 9 + 8)
  expect(found.channelNorms.filter((norm) => norm === 0)).toHaveLength(3)
  // Biases and BatchNorm offsets start at 0 as well.
  expect(found.parameters.zero).toBeGreaterThan(found.convWeights.zero)
})
