/** The published counts of the papers' networks, from graphs that the worker traces, and measured times. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cost } from '../../ts/cost/cost'
import { latency } from '../../ts/cost/latency'
import { type Session, connect } from '../../ts/tensor/session'

let session: Session
beforeAll(async () => {
  session = await connect({ device: 'cpu', threads: 1, allowImports: true })
})
afterAll(() => session.close())

test.each([
  ['resnet20', {}, 272_282],
  ['resnet38', {}, 563_930],
  ['resnet56', {}, 855_578],
  ['resnet110', {}, 1_730_522],
  ['enresnet20', { members: 5 }, 1_361_410],
])('%s %j has the %d parameters of the papers', async (name, options, parameters) => {
  const model = await session.model(name, options)
  const found = cost(await model.graph([3, 32, 32]))
  expect(found.parameters).toBe(parameters)
  expect(model.description.trainable).toBe(parameters)
  expect(found.uncounted).toEqual([])
})

test('En2ResNet20 at 32x32: both counts of multiply-adds, exactly', async () => {
  const graph = await (await session.model('enresnet20', { members: 2 })).graph([3, 32, 32])
  const found = cost(graph)
  expect(found).toMatchObject({ parameters: 544_564, multiplyAdds: 81_626_368, torchPruning: 82_765_076 })
  expect(found.bytes).toBe(4 * 544_564)
})

interface Peer {
  readonly networks: readonly {
    readonly network: string
    readonly options: Record<string, unknown>
    readonly image: [number, number, number]
    readonly asModules: { readonly operations: number; readonly parameters: number }
  }[]
}

const record = join(__dirname, '../../benchmarks/results/torch-pruning-cost.json')
const peer = JSON.parse(readFileSync(record, 'utf8')) as Peer

test.each(peer.networks)(
  'the count of Torch-Pruning itself: $network $options',
  async ({ network, options, image, asModules }) => {
    const found = cost(await (await session.model(network, options)).graph(image))
    expect([found.torchPruning, found.parameters]).toEqual([asModules.operations, asModules.parameters])
  },
)

test('a network of the user: 1x28x28, stride 4, batch norm, ReLU as a method', async () => {
  const model = await session.adopt(`${join(__dirname, '../support/small_net.py')}:make`)
  const found = cost(await model.graph([1, 28, 28]))
  expect(found.parameters).toBe(model.description.trainable)
  expect(found.multiplyAdds).toBe(49 * 9 * 4 + 196 * 10)
  expect(found.torchPruning).toBe(found.multiplyAdds + 3 * 196 + 10)
})

test('times name their conditions; networks take turns', async () => {
  const models = {
    small: await session.model('resnet8', { width: 2 }),
    wide: await session.model('resnet8', { width: 32 }),
  }
  const found = await latency({ session, models, shape: [3, 16, 16], batch: 8, repeats: 5 })
  expect(Object.keys(found)).toEqual(['small', 'wide'])
  expect(found.small).toMatchObject({ batch: 8, threads: 1, device: 'cpu', noise: true, n: 5, ratio: { median: 1 } })
  expect(found.wide.seconds).toHaveLength(5)
  expect(found.wide.ratio.median).toBeGreaterThan(1)
  expect(found.wide.low).toBeLessThanOrEqual(found.wide.median)
  await expect(latency({ session, models, shape: [3, 16, 16], repeats: 0 })).rejects.toThrow('Expected `repeats`')
})
