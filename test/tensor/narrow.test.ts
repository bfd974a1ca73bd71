/** What a network computes, and networks with fewer channels, over a real worker. */
import { join } from 'node:path'
import { connect, type Session, type Widths } from '../../ts/tensor/session'
import { use } from '../../ts/tensor/functions'
import { plan } from '../../ts/tensor/plan'
import { temporaryFolder } from '../e2e/command_line'
import { numbers } from '../support/worker'
import { smallNet, trained } from './adopt'

let session: Session
beforeAll(async () => {
  session = await connect({ device: 'cpu', threads: 1, allowImports: true })
})
afterAll(() => session.close())

const folder = temporaryFolder()

test('the graph of a network of ours', async () => {
  const model = await session.model('enresnet8', { width: 4, channels: 1, noise: 0.1 })
  const { nodes } = await model.graph([1, 16, 16])
  expect(nodes.filter(({ kind }) => kind === 'noise')).toHaveLength(3)
  const stem = nodes.find(({ module }) => module === 'ensemble.0.conv1')
  expect(stem).toMatchObject({ kind: 'conv', shape: [1, 4, 16, 16], kernel: [3, 3], bias: false })
  await expect(model.graph([3, 16, 16])).rejects.toThrow(/^Expected `EnResNet` to take images of shape \[3, 16, 16\]/)
  await expect(model.graph([1, 0, 16])).rejects.toThrow(
    /^Expected `shape` to be a shape \[1, channels, height, width\]/,
  )
})

test('a narrowed network of the user answers, trains, and comes back from its file', async () => {
  const model = await session.adopt(`${smallNet}:make`, { width: 3 }, { seed: 1 })
  expect((await model.graph([1, 28, 28])).nodes.map(({ kind }) => kind)).toEqual([
    ...['input', 'conv', 'norm', 'relu', 'flatten', 'linear', 'output'],
  ])
  const features = Array.from({ length: 98 }, (_, i) => i)
  const widths: Widths = {
    version: 1,
    layers: { stem: { out: [0, 1] }, norm: { out: [0, 1] }, head: { in: features } },
  }
  const small = await model.narrow(widths)
  expect(small.description).toMatchObject({ architecture: 'SmallNet', widths, trainable: 18 + 4 + 980 + 10 })
  expect(model.description.widths).toBeUndefined()
  expect(small.names('conv')).toEqual(['stem.weight'])
  expect(await numbers(small.parameters('conv')[0]!)).toEqual(
    (await numbers(model.parameters('conv')[0]!)).slice(0, 18),
  )
  const losses = await trained(session, small)
  expect(losses[2]).toBeLessThan(losses[0]!)
  const path = join(folder, 'small.safetensors')
  await small.save(path, { format: 'safetensors' })
  const loaded = await session.load(path, { model })
  expect(loaded.description.widths).toEqual(widths)
  const images = session.put(new Float32Array(2 * 784).fill(0.5), [2, 1, 28, 28])
  const nets = [model, small, loaded]
  const answer = plan('answer', () => nets.map((net) => net.call(use(images), { mode: 'eval' })), { session })
  const [dense, before, after] = await Promise.all(answer().map(numbers))
  expect(after).toEqual(before)
  expect(dense).not.toEqual(before)
})

test('widths that do not fit are one sentence', async () => {
  const model = await session.model('resnet8', { width: 4, channels: 1 })
  await expect(model.narrow({ version: 1, layers: { 'ensemble.0.fc': { in: [16] } } })).rejects.toThrow(
    /^Expected `in` of `ensemble\.0\.fc` to be a list of ascending integers below 16, at least one, got 1 entries$/,
  )
})
