/**
 * An exported file in onnxruntime, from TypeScript: the logits of the worker, for every network and batch size.
 * @jest-environment ./test/support/shared_floats.js
 */
import { join } from 'node:path'
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { type Model, type Session, connect } from '../../ts/tensor/session'
import { plan } from '../../ts/tensor/plan'
import type { Tensor } from '../../ts/tensor/tensor'
import { temporaryFolder } from '../e2e/command_line'
import { widths } from './widths'

const folder = temporaryFolder()
let session: Session
beforeAll(async () => {
  session = await connect({ device: 'cpu', threads: 1, allowImports: true })
})
afterAll(() => session.close())

/** Passes in training mode move the statistics of batch norm away from their start, where mistakes would not show. */
async function settled(model: Model, shape: readonly number[]): Promise<Model> {
  const generator = session.generator(1)
  const images = session.put(pixels([16, ...shape], 1), [16, ...shape])
  const pass = plan('settle', (x: Tensor) => model.call(x, { mode: 'train', generator }).sum())
  await pass(images).item()
  return model
}

/** Pixels in [0, 1] that repeat for a seed. */
function pixels(shape: readonly number[], seed: number): Float32Array {
  let state = seed
  return Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  })
}

const argmax = (row: readonly number[]): number => row.indexOf(Math.max(...row))

/** Compares row by row with a pass of the worker without noise. */
async function expectEqual(model: Model, runtime: InferenceSession, shape: readonly number[], batch: number) {
  const data = pixels([batch, ...shape], 7 + batch)
  const call = plan('logits', (x: Tensor) => model.call(x, { mode: 'eval', noise: false }))
  const expected = await call(session.put(data, [batch, ...shape])).read()
  const { logits } = await runtime.run({ images: new OrtTensor('float32', data, [batch, ...shape]) })
  expect(logits!.dims).toEqual(expected.shape)
  const [ours, theirs] = [Array.from(expected.data, Number), Array.from(logits!.data as Float32Array)]
  const scale = Math.max(...ours.map(Math.abs))
  expect(scale).toBeGreaterThan(0.01)
  expect(Math.max(...ours.map((value, i) => Math.abs(value - theirs[i]!)))).toBeLessThanOrEqual(1e-4 * scale)
  const classes = ours.length / batch
  for (let row = 0; row < batch; row++) {
    const [from, to] = [row * classes, (row + 1) * classes]
    expect(argmax(theirs.slice(from, to))).toBe(argmax(ours.slice(from, to)))
  }
}

const open = (path: string) => InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1 })

const networks: [string, number[], () => Promise<Model>][] = [
  ['En2ResNet8', [3, 16, 16], () => session.model('enresnet8', { members: 2, width: 4 })],
  [
    'a narrowed En2ResNet8',
    [3, 16, 16],
    async () => (await session.model('enresnet8', { members: 2, width: 4 })).narrow(widths),
  ],
  ['ResNet8 on grey images', [1, 28, 28], () => session.model('resnet8', { width: 4, channels: 1, stem_stride: 2 })],
  ['a network of the user', [1, 28, 28], () => session.adopt(join(__dirname, '../support/small_net.py') + ':make')],
]

test.each(networks)('%s gives equal logits in onnxruntime at every batch size', async (_, shape, make) => {
  const model = await settled(await make(), shape)
  const path = join(folder, 'any.onnx')
  const written = await model.export(path, { shape })
  expect(written).toMatchObject({ input: { name: 'images', shape: [null, ...shape] }, output: { shape: [null, 10] } })
  const runtime = await open(path)
  for (const batch of [1, 3, 8]) await expectEqual(model, runtime, shape, batch)
  await runtime.release()
})

test('a fixed batch size is that of the file', async () => {
  const model = await settled(await session.model('enresnet8', { width: 4 }), [3, 16, 16])
  const path = join(folder, 'fixed.onnx')
  expect(await model.export(path, { shape: [3, 16, 16], batch: 4 })).toMatchObject({ input: { shape: [4, 3, 16, 16] } })
  const runtime = await open(path)
  await expectEqual(model, runtime, [3, 16, 16], 4)
  const images = new OrtTensor('float32', pixels([2, 3, 16, 16], 1), [2, 3, 16, 16])
  await expect(runtime.run({ images })).rejects.toThrow(/invalid dimensions/)
  await runtime.release()
})
