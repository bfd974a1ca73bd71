/** Compaction of real networks in the worker: the same logits, nothing left to remove, reloaded without pickle. */
import { join } from 'node:path'
import { agreement } from '../../ts/compaction/agreement'
import { compact } from '../../ts/compaction/compact'
import { assign, use } from '../../ts/tensor/functions'
import type { Widths } from '../../ts/tensor/graph'
import { plan } from '../../ts/tensor/plan'
import { type Model, type Session, connect } from '../../ts/tensor/session'
import { randomImages, zeroChannels, zeroModules } from './prune'

type Size = [number, number, number]

const concatNet = `${join(__dirname, '..', 'support', 'concat_net.py')}:make`
let session: Session
beforeAll(async () => {
  session = await connect({ device: 'cpu', threads: 1, allowImports: true })
})
afterAll(() => session.close())

async function expectSame(before: Model, after: Model, size: Size): Promise<void> {
  const images = randomImages(session, size, 16, 1)
  for (const found of await agreement({ session, before, after, images, seed: 3 }))
    expect(found).toMatchObject({ agree: true, otherAnswers: 0, images: 16 })
}

const networks: [string, Size, (seed: number) => Promise<Model>][] = [
  ['ResNet8', [1, 28, 28], (seed) => session.model('resnet8', { width: 4, channels: 1, seed })],
  ['En2ResNet8', [3, 16, 16], (seed) => session.model('enresnet8', { width: 4, members: 2, seed })],
  ['ResNet14 without skip', [3, 16, 16], (seed) => session.model('resnet14', { width: 4, skip: false, seed })],
  ['a network of the user', [1, 28, 28], (seed) => session.adopt(concatNet, {}, { seed })],
]

describe.each(networks)('%s with random zero channels', (_, size, make) => {
  test.each([1, 2, 3])('seed %i', async (seed) => {
    const model = await make(seed)
    zeroChannels(session, model, seed)
    const { model: small, report } = await compact({ session, model, size, least: 0 })
    expect(report.parameters.after).toBeLessThan(0.7 * report.parameters.before)
    expect(small.description.trainable).toBe(report.parameters.after)
    await expectSame(model, small, size)
    const again = await compact({ session, model: small, size, least: 0 })
    expect(again.widths).toEqual({ version: 1, layers: {} })
    expect(again.model).toBe(small)
  })
})

test('what goes was unused: other numbers there change nothing', async () => {
  const size: Size = [3, 16, 16]
  const model = await session.model('enresnet8', { width: 4, members: 2, seed: 4 })
  zeroChannels(session, model, 4)
  const { model: small, widths } = await compact({ session, model, size })
  const disturbed = disturb(model, widths)
  expect(disturbed).toBeGreaterThan(10)
  await expectSame(model, small, size)
})

/** Adds 1 to the filters and norms that go, in place; gives how many layers have any. */
function disturb(model: Model, { layers }: Widths): number {
  let count = 0
  for (const [module, { out, select }] of Object.entries(layers)) {
    if (out === undefined || select === true) continue
    count++
    for (const { name, shape } of model.description.parameters.filter((p) => p.name === `${module}.weight`)) {
      const [weight] = model.parameters((parameter) => parameter.name === name)
      const gone = Array.from({ length: shape[0]! }, (_, c) => (out.includes(c) ? 0 : 1))
      const mask = session.put(new Float32Array(gone), [shape[0]!, ...shape.slice(1).map(() => 1)])
      plan('disturb', () => assign(weight!, use(weight!).add(mask)), { session })()
    }
  }
  return count
}

test('a dead branch and a dead skip path', async () => {
  const model = await session.model('enresnet14', { width: 4, members: 2, seed: 1 })
  const dead = ['ensemble.0.layer1.1.conv2', 'ensemble.1.layer2.0.downsample.0']
  zeroModules(session, model, dead)
  const { model: small, report } = await compact({ session, model, size: [3, 16, 16] })
  expect(report.dead).toEqual(dead)
  expect(report.unread).toEqual(['ensemble.0.layer1.1.conv1'])
  await expectSame(model, small, [3, 16, 16])
})

test('a dead member: gone without noise; with it the draws of the others stay', async () => {
  for (const noise of [0, 0.1]) {
    const model = await session.model('enresnet8', { width: 4, members: 2, noise, seed: 1 })
    zeroModules(session, model, ['ensemble.1.fc'])
    const { model: small, report } = await compact({ session, model, size: [3, 16, 16] })
    expect(report.constant).toEqual(['ensemble.1.fc'])
    expect(report.unread.length > 0).toBe(noise === 0)
    expect(report.stays.some(({ why }) => why.startsWith('it draws noise'))).toBe(noise > 0)
    await expectSame(model, small, [3, 16, 16])
  }
})
