/** Warm starts: the weights of a file, dense or compact, under the same adversarial training. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { compact } from '../../ts/compaction/compact'
import { RunFolder } from '../../ts/records/run_folder'
import { checkConfig } from '../../ts/training/check'
import { channelTarget, type TrainConfig } from '../../ts/training/config'
import { warmStart } from '../../ts/training/initial'
import { train } from '../../ts/training/train'
import type { Dataset } from '../../ts/tensor/session'
import type { Model } from '../../ts/tensor/model'
import { smokeConfig } from '../support/configs'
import { hash, type RunFiles, useFolder } from '../support/run_files'
import { numbers, useWorker } from '../support/worker'

const worker = useWorker()
const folder = useFolder()
let data: Dataset
beforeAll(async () => {
  data = await worker().data('fashion_mnist_subset', { split: 'train' })
})

const base = smokeConfig({ members: 2, seed: 5 })
const tiny: TrainConfig = {
  ...base,
  network: { name: 'enresnet8', options: { ...base.network.options, members: 2, width: 4 } },
  epochs: 2,
  batchSize: 24,
  images: 72,
  attack: { ...base.attack!, iterations: 1 },
}

/** A trained network in a file, and the network. */
async function trained(config: TrainConfig, files: RunFiles): Promise<{ model: Model; path: string }> {
  const model = await worker().model(config.network.name, { ...config.network.options, seed: config.seed })
  await train({ session: worker(), model, data, config, folder: files })
  return { model, path: files.path('model.safetensors') }
}

const weightsOf = (model: Model): Promise<number[][]> =>
  Promise.all([...model.parameters(), ...model.buffers()].map(numbers))

test('a warm start has the weights of the file, and its configuration the checksum and the network', async () => {
  const { model, path } = await trained({ ...tiny, epochs: 1 }, folder('first'))
  const start = await warmStart(worker(), path)
  expect(await weightsOf(start.model)).toEqual(await weightsOf(model))
  expect(start.initial.sha256).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'))
  expect(start.network).toMatchObject({ name: 'enresnet8', options: { members: 2, width: 4, noise: 0.1 } })
  const config = { ...tiny, network: start.network, initial: start.initial }
  expect(checkConfig(config, 6000)).toBe(config)
})

test('another file is refused where the configuration names one', async () => {
  const { path } = await trained({ ...tiny, epochs: 1 }, folder('other'))
  const sha256 = '0'.repeat(64)
  await expect(warmStart(worker(), path, {}, { sha256 })).rejects.toThrow(
    /^Expected .*model\.safetensors to have the SHA-256 0{64} of `initial`, got [0-9a-f]{64}$/,
  )
  expect(() => checkConfig({ ...tiny, initial: { sha256: 'abc' } }, 6000)).toThrow(
    new RangeError('Expected `initial.sha256` to be 64 hexadecimal digits, got `"abc"` (string)'),
  )
})

test('the hash of a run knows the file', () => {
  const files = folder('hashes')
  const open = (sha256?: string): string => {
    const config = { ...tiny, ...(sha256 !== undefined && { initial: { sha256 } }) }
    using run = RunFolder.open(files.path('runs'), 'train', { train: config })
    return run.hash
  }
  expect(new Set([open(), open('0'.repeat(64)), open('1'.repeat(64))]).size).toBe(3)
})

test('a compact network is fine-tuned: it trains, resumes to the same bits, and stays compact', async () => {
  const pruning = { ...tiny, ...channelTarget({ beta: 1, channels: 0.6, by: 'cubic' }), lambda2: 1e-5 }
  const { model } = await trained(pruning, folder('pruned'))
  const { model: small } = await compact({ session: worker(), model, size: [1, 28, 28] })
  expect(small.description.trainable).toBeLessThan(0.9 * model.description.trainable)
  const path = folder('small').path('small.safetensors')
  await small.save(path, { format: 'safetensors' })

  const fineTune = async (files: RunFiles, stop?: AbortController): Promise<Model> => {
    const start = await warmStart(worker(), path)
    const config = { ...tiny, network: start.network, initial: start.initial }
    const onEpoch = ({ epoch }: { epoch: number }): void => void (epoch === 1 && stop?.abort(new Error('stopped')))
    const options = { session: worker(), model: start.model, data, config, folder: files, onEpoch }
    const { history } = await train({ ...options, ...(stop && { signal: stop.signal }) })
    expect(history[1]!.inputChannels.total).toBeLessThan(114)
    return start.model
  }
  const [whole, parts] = [folder('whole'), folder('parts')]
  const tuned = await fineTune(whole)
  await expect(fineTune(parts, new AbortController())).rejects.toThrow('stopped')
  await fineTune(parts)
  expect(hash(parts, 'model.safetensors')).toBe(hash(whole, 'model.safetensors'))

  expect(await weightsOf(tuned)).not.toEqual(await weightsOf(small))
  const saved = await worker().load(whole.path('model.safetensors'))
  for (const network of [tuned, saved]) {
    expect(network.description.widths).toEqual(small.description.widths)
    expect(network.description.trainable).toBe(small.description.trainable)
  }
  expect(await weightsOf(saved)).toEqual(await weightsOf(tuned))
})
