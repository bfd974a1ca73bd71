/** Runs that are to prune a share of their channels: what they reach, how they stop and resume, what they refuse. */
import { checkConfig } from '../../ts/training/check'
import { channelTarget, rgsm, type ChannelTarget, type TrainConfig } from '../../ts/training/config'
import { smokeConfig } from '../support/configs'
import { missOf, wantedShare } from '../../ts/training/target'
import { train, type TrainOptions, type TrainResult } from '../../ts/training/train'
import type { Dataset } from '../../ts/tensor/session'
import { hash, useFolder } from '../support/run_files'
import { useWorker } from '../support/worker'

const worker = useWorker()
const folder = useFolder()
let data: Dataset
beforeAll(async () => {
  data = await worker().data('fashion_mnist_subset', { split: 'train' })
})

const base = smokeConfig({ lambda1: 0.05, seed: 5 })
const tiny = (channels: number, by: ChannelTarget['by']): TrainConfig => ({
  ...base,
  network: { name: 'resnet8', options: { ...base.network.options, width: 4 } },
  epochs: 8,
  batchSize: 32,
  images: 320,
  // Enough to move norms over the cut in 80 steps.
  optimiser: { ...base.optimiser, weightDecay: 2e-2 },
  attack: null,
  loss: { name: 'natural' },
  ...channelTarget({ beta: 1, channels, by, lambda1: 0.05 }),
})

async function run(config: TrainConfig, options: Partial<TrainOptions> = {}): Promise<TrainResult> {
  const model = await worker().model(config.network.name, { ...config.network.options, seed: config.seed })
  return train({ session: worker(), model, data, config, ...options })
}

const share = ({ history }: TrainResult): number => {
  const { zero, total } = history.at(-1)!.inputChannels
  return zero / total
}

test.each([0.25, 0.5])('the cubic reaches %p of the channels, to one channel', async (channels) => {
  const result = await run(tiny(channels, 'cubic'))
  expect(Math.abs(share(result) - channels)).toBeLessThanOrEqual(1 / result.history[0]!.inputChannels.total)
  const counts = result.history.map(({ inputChannels }) => inputChannels.zero)
  expect(counts).toEqual([...counts].sort((a, b) => a - b))
  expect(counts[0]).toBeLessThan(counts[3]!)
})

test('an adapted lambda reaches the share to 0.1, and is told', async () => {
  const result = await run(tiny(0.4, 'lambda'))
  expect(Math.abs(share(result) - 0.4)).toBeLessThan(0.1)
  const lambdas = result.history.map(({ lambda }) => lambda!)
  expect(lambdas[0]).toBeGreaterThan(0.05)
  expect(lambdas.at(-1)).toBeLessThan(Math.max(...lambdas))
  // Without the controller this lambda prunes nothing.
  const { target: _target, ...without } = tiny(0.4, 'lambda')
  const fixed = await run(without)
  expect(share(fixed)).toBe(0)
  expect(fixed.history[0]).not.toHaveProperty('lambda')
})

test.each(['lambda', 'cubic'] as const)('a stop and a resume give the same bits (%s)', async (by) => {
  const config = { ...tiny(0.4, by), epochs: 4 }
  const [whole, parts] = [folder('whole'), folder('parts')]
  const expected = await run(config, { folder: whole })
  const stop = new AbortController()
  const onEpoch = ({ epoch }: { epoch: number }): void => void (epoch === 2 && stop.abort(new Error('stopped')))
  await expect(run(config, { folder: parts, onEpoch, signal: stop.signal })).rejects.toThrow('stopped')
  expect(await run(config, { folder: parts })).toEqual(expected)
  for (const name of ['state.safetensors', 'model.safetensors']) expect(hash(parts, name)).toBe(hash(whole, name))
})

test('validation chooses among the epochs that reach the share', async () => {
  const config = {
    ...tiny(0.4, 'cubic'),
    epochs: 4,
    validation: { ...base.validation, count: 100, selection: 'best' as const },
  }
  const { history, selectedEpoch } = await run(config)
  const misses = history.map((metrics) => missOf(config, metrics))
  expect(misses[0]).toBeGreaterThan(0)
  expect(misses[selectedEpoch - 1]).toBe(Math.min(...misses))
})

test('the wanted share is a cubic over the steps of the epochs until', () => {
  const wanted = wantedShare({ ...tiny(0.4, 'cubic'), epochs: 4 }, 10)!
  // until 0.75 of 4 epochs of 10 steps: 30 steps
  expect([0, 14, 29, 30, 39].map((step) => Number(wanted(step).toFixed(6)))).toEqual([
    Number((0.4 * (1 - (29 / 30) ** 3)).toFixed(6)),
    0.35,
    0.4,
    0.4,
    0.4,
  ])
  expect(wantedShare(base, 10)).toBeNull()
})

test('configurations are plain JSON, and absent targets leave no trace', () => {
  expect(JSON.stringify(channelTarget({ beta: 1, channels: 0.4, by: 'cubic' }))).toBe(
    '{"splitting":{"kind":"rgsm","beta":1,"penalty":{"name":"sparse_channels","options":{"share":0.4,"within":"network"}}},' +
      '"target":{"channels":0.4,"by":"cubic","until":0.75,"tolerance":0.02}}',
  )
  expect(JSON.stringify(channelTarget({ beta: 1, channels: 0.4, by: 'lambda' }))).toBe(
    '{"splitting":{"kind":"rgsm","beta":1,"penalty":{"name":"group_l0","options":{"lambda":0.01}}},' +
      '"target":{"channels":0.4,"by":"lambda","until":0.75,"tolerance":0.02}}',
  )
  for (const by of ['lambda', 'cubic'] as const) expect(checkConfig(tiny(0.4, by), 6000)).toBeDefined()
})

test.each<[string, Partial<TrainConfig>, string]>([
  [
    'share',
    { target: { ...tiny(0.4, 'cubic').target!, channels: 40 } },
    'Expected `target.channels` to be a number in [0, 1], got `40` (number)',
  ],
  [
    'way',
    { target: { ...tiny(0.4, 'cubic').target!, by: 'linear' as 'cubic' } },
    'Expected `target.by` to be one of lambda, cubic, got `"linear"` (string)',
  ],
  [
    'penalty',
    { splitting: rgsm({ beta: 1, lambda1: 0.1 }) },
    'Expected `splitting.penalty.options` to have a number `share` with target by cubic, got `undefined` (undefined)',
  ],
  [
    'lambda',
    { splitting: rgsm({ beta: 1, lambda1: 0 }), target: tiny(0.4, 'lambda').target! },
    'Expected `splitting.penalty.options.lambda` to be above 0 with target by lambda, got `0` (number)',
  ],
  [
    'pair of shares',
    { splitting: tiny(0.3, 'cubic').splitting },
    'Expected `splitting.penalty.options.share` to be target.channels, 0.4, got `0.3` (number)',
  ],
])('refuses a bad %s', (_name, change, message) => {
  expect(() => checkConfig({ ...tiny(0.4, 'cubic'), ...change }, 6000)).toThrow(new RangeError(message))
})
