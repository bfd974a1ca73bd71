/** From training to a smaller file and back: ours, and a network of the user that only its factory knows. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { agreement } from '../../ts/compaction/agreement'
import { compact } from '../../ts/compaction/compact'
import { sparsity } from '../../ts/evaluation/sparsity'
import { type Model, type Session, connect } from '../../ts/tensor/session'
import { rgsm, type TrainConfig } from '../../ts/training/config'
import { train } from '../../ts/training/train'
import { randomImages, zeroChannels } from './prune'

type Size = [number, number, number]

const concatNet = `${join(__dirname, '..', 'support', 'concat_net.py')}:make`
const folder = mkdtempSync(join(tmpdir(), 'feynkac-compact-'))
let session: Session
beforeAll(async () => {
  session = await connect({ device: 'cpu', threads: 1, allowImports: true })
})
afterAll(async () => {
  await session.close()
  rmSync(folder, { recursive: true })
})

async function expectSame(before: Model, after: Model, size: Size): Promise<void> {
  const images = randomImages(session, size, 16, 1)
  for (const found of await agreement({ session, before, after, images, seed: 3 }))
    expect(found).toMatchObject({ agree: true, otherAnswers: 0 })
}

test.each(['safetensors', 'pt'] as const)('a %s file comes back as the same compact network', async (format) => {
  const size: Size = [3, 16, 16]
  const model = await session.model('enresnet8', { width: 4, members: 2, seed: 5 })
  zeroChannels(session, model, 5)
  const { model: small, widths } = await compact({ session, model, size, least: 0 })
  expect(widths.then).toBeDefined()
  const path = join(folder, `small.${format}`)
  await small.save(path, { format })
  const loaded = await session.load(path)
  expect(loaded.description).toMatchObject({ name: 'enresnet8', trainable: small.description.trainable, widths })
  await expectSame(small, loaded, size)
})

const config: TrainConfig = {
  network: { name: 'ConcatNet', options: {} },
  ...{ epochs: 2, batchSize: 64, dropLast: false, images: 128, seed: 0, threads: 1, lambda2: 0 },
  optimiser: { lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 5e-4, resetMomentumEachEpoch: true },
  schedule: { kind: 'constant' },
  threat: { epsilon: 0.1, notation: '0.1' },
  attack: null,
  loss: { name: 'natural' },
  splitting: rgsm({ beta: 1, lambda1: 0.5 }),
  augment: { crop: 0, flip: false },
  validation: { count: 0, selection: 'last', attack: { stepSize: 0.05, iterations: 1, randomStart: false } },
}

test('RGSM on a network of the user: trained, compacted, saved, and reloaded through its factory', async () => {
  const size: Size = [1, 28, 28]
  const model = await session.adopt(concatNet, { width: 16 })
  const data = await session.data('fashion_mnist_subset', { split: 'train' })
  await train({ session, model, data, config })
  const { inputChannels } = await sparsity({ session, model })
  expect(inputChannels.zero).toBeGreaterThan(5)
  expect(inputChannels.zero).toBeLessThan(inputChannels.total)
  const { model: small, report } = await compact({ session, model, size })
  expect(report.inputChannels.after).toBeLessThan(inputChannels.total - 0.5 * inputChannels.zero)
  await expectSame(model, small, size)

  const path = join(folder, 'user.safetensors')
  await small.save(path, { format: 'safetensors' })
  const loaded = await session.load(path, { model: await session.adopt(concatNet, { width: 16 }, { seed: 9 }) })
  expect(loaded.description.trainable).toBe(report.parameters.after)
  await expectSame(small, loaded, size)
})
