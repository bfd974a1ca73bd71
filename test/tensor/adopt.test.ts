/** Networks of the user in the ordinary worker. */
import { join } from 'node:path'
import { settle } from '../../bridge/options'
import { connect, type Session } from '../../ts/tensor/session'
import { temporaryFolder } from '../e2e/command_line'
import { numbers } from '../support/worker'
import { adoptsLike, smallNet, trained } from './adopt'

let session: Session
beforeAll(async () => {
  session = await connect({ device: 'cpu', threads: 1, allowImports: true })
})
afterAll(() => session.close())

adoptsLike(() => session)

describe('weights of a file', () => {
  const folder = temporaryFolder()

  test('go into a copy of an adopted network, which answers and trains like the one that was saved', async () => {
    const adopted = await session.adopt(`${smallNet}:make`, { width: 3 }, { seed: 1 })
    const before = await trained(session, adopted)
    for (const format of ['pt', 'safetensors'] as const) {
      const path = join(folder, `own.${format}`)
      await adopted.save(path, { format })
      const other = await session.adopt(`${smallNet}:make`, { width: 3 }, { seed: 2 })
      const first = await numbers(other.parameters()[0]!)
      const loaded = await session.load(path, { model: other })
      expect(loaded.description).toMatchObject({
        architecture: 'SmallNet',
        format: path.endsWith('pt') ? 'torch' : format,
      })
      expect(await numbers(loaded.parameters()[0]!)).toEqual(await numbers(adopted.parameters()[0]!))
      expect(await numbers(other.parameters()[0]!)).toEqual(first)
      other.free()
      expect((await trained(session, loaded))[0]).toBeCloseTo(before[2]!, 5)
    }
  })

  test('that do not fit are one sentence, and so are contradicting options', async () => {
    const path = join(folder, 'narrow.pt')
    await (await session.adopt(`${smallNet}:make`, { width: 2 })).save(path, { format: 'pt' })
    const model = await session.adopt(`${smallNet}:make`)
    await expect(session.load(path, { model })).rejects.toThrow(
      'to hold the weights of SmallNet with `stem.weight` as float32[4, 1, 3, 3], got float32[2, 1, 3, 3]',
    )
    await expect(session.load(path, { model, name: 'resnet8' })).rejects.toThrow(
      'Expected `model`, or `name` and `options`, in the options of load, got both',
    )
    await expect(session.load(path, { net: model } as object)).rejects.toThrow('got `net`')
  })
})

test('a live object of Python is only taken by the embedded worker', async () => {
  await expect(session.call('model.adopt', { object: 1 })).rejects.toThrow('the number of a live object, got `1`')
})

test('a session without the permission imports nothing; only `true` is one', async () => {
  await using other = await connect({ device: 'cpu', threads: 1 })
  await expect(other.adopt(`${smallNet}:make`)).rejects.toThrow(
    'Expected permission to run Python code of yours (`allowImports: true` when connecting',
  )
  for (const allowImports of ['yes', 1, {}] as unknown as boolean[])
    expect(settle({ allowImports }).allowImports).toBe(false)
})
