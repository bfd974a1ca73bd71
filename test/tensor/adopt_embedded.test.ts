/** The embedded worker: networks of the user, and the control plane beside it. */
import { connect, type Session } from '../../ts/tensor/session'
import { adoptsLike, attacked, smallNet, trained } from './adopt'

let session: Session
const lines: string[] = []
beforeAll(async () => {
  session = await connect({
    ...{ launcher: 'pythonia', device: 'cpu', threads: 1, allowImports: true },
    onLog: (line) => lines.push(line),
  })
})
afterAll(() => session.close())

adoptsLike(() => session)

test('values that JSON or JavaScript cannot hold cross in both directions', async () => {
  const strange = await session.python.call(`${smallNet}:strange`)
  expect(strange).toEqual({ nan: NaN, up: Infinity, down: -Infinity, huge: 2n ** 70n, $: [1, null], zero: -0 })
  const given = [NaN, -Infinity, 2n ** 70n, -0, 0.1, 'é\ud83d\ude00', null, true, [[]], { $: 1 }]
  const echoed = await session.python.call(`${smallNet}:echo`, given, { key: { deep: NaN } })
  expect(echoed).toEqual([...given, { key: { deep: NaN } }])
})

test.each([
  ['tensor', [], 'Expected numbers, strings, booleans, None, and lists or string-keyed maps of them, got Tensor'],
  ['refuse', [], 'Expected `small_net.py:refuse` to run, got ValueError: no such weights'],
  ['echo', [new Float32Array(2)], 'Expected numbers, strings, booleans, null, and arrays or plain objects'],
  ['echo', [undefined], 'of them for Python, got undefined'],
])('%s %j is refused in one sentence, and the worker goes on', async (name, args, sentence) => {
  await expect(session.python.call(`${smallNet}:${name}`, args)).rejects.toThrow(sentence)
  await session.barrier()
})

test('a live module is adopted, and lives on when its object is dropped', async () => {
  const object = await session.python.make(`${smallNet}:make`, [], { width: 2 })
  expect(object.className).toBe('SmallNet')
  const before = (await session.python.call(`${smallNet}:weight_sum`, [object])) as number
  const model = await session.adopt(object)
  expect(model.description.trainable).toBe(18 + 4 + 980 + 10)
  await trained(session, model, 8)
  await session.barrier()
  // The same storage: what the plans changed is what Python sees.
  expect(await session.python.call(`${smallNet}:weight_sum`, [object])).not.toBe(before)
  await object.drop()
  await session.python.call('gc:collect')
  expect((await attacked(session, model)).natural).toBeGreaterThanOrEqual(0)
  await expect(session.adopt(object)).rejects.toThrow('the number of a live object')
  await expect(session.python.call(`${smallNet}:weight_sum`, [object])).rejects.toThrow('got one that was dropped')
})

test('only modules are adopted', async () => {
  const object = await session.python.make(`${smallNet}:tensor`)
  await expect(session.adopt(object)).rejects.toThrow('to give an nn.Module, got Tensor')
})

test('a busy bridge delays no command', async () => {
  // The pipe lets go of the call only after the commands have answered.
  const [read, write] = (await session.python.call('os:pipe')) as [number, number]
  const waiting = session.python.call('os:read', [read, 1])
  waiting.catch(() => undefined)
  expect(await session.put([1, 2]).read()).toMatchObject({ shape: [2] })
  await session.adopt(`${smallNet}:make`)
  const released = session.adopt('builtins:open', { file: write, mode: 'w' })
  await expect(released).rejects.toThrow('to give an nn.Module, got TextIOWrapper')
  // The file object was dropped, which closed the pipe: the read ends.
  await expect(waiting).rejects.toThrow('got bytes')
})

test('what Python prints is in the log', async () => {
  await session.python.call('builtins:print', ['a line of mine'])
  await session.close()
  expect(lines).toContain('a line of mine')
})
