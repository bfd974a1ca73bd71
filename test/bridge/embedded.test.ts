/** Start and end of the embedded worker: pythonia would hang or end Node in most of these. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Connection } from '../../bridge/connection'
import { WorkerLostError } from '../../bridge/errors'
import type { ConnectionOptions } from '../../bridge/options'
import { packageRoot } from '../../bridge/root'

const open = (options: ConnectionOptions = {}): Promise<Connection> =>
  Connection.open({
    ...{ launcher: 'pythonia', device: 'cpu', threads: 1, allowImports: true, onLog: () => undefined },
    ...options,
  })

const caught = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error('It did not reject'),
    (error: unknown) => error as Error,
  )

test('one session after the other, one at a time, and the environment stays as it was', async () => {
  const before = { ...process.env }
  const first = await open()
  await expect(open()).rejects.toThrow(
    'Expected one embedded session at a time (pythonia has one process), got a second',
  )
  expect(process.env).toEqual(before)
  await first.close()
  const second = await open()
  expect(second.welcome.pid).not.toBe(first.welcome.pid)
  expect(await second.python!.call('os:getpid')).toBe(second.welcome.pid)
  await second.close()
  expect(globalThis).not.toHaveProperty('__pythonBridge')
  expect(() => process.kill(second.welcome.pid, 0)).toThrow('ESRCH')
  const late = await caught(second.python!.call('os:getpid'))
  expect(late).toBeInstanceOf(WorkerLostError)
  expect(late.message).toContain('The embedded worker ended with exit code 0')
})

test('Python that dies in the middle of a call rejects it and the one behind it', async () => {
  const connection = await open()
  const waiting = caught(connection.python!.call('time:sleep', [1e6]))
  const behind = caught(connection.python!.call('time:time'))
  // Commands go on beside the call.
  await connection.call('device.info', {}).value
  process.kill(connection.welcome.pid, 'SIGKILL')
  for (const error of await Promise.all([waiting, behind])) {
    expect(error).toBeInstanceOf(WorkerLostError)
    expect(error.message).toContain('The embedded worker ended with signal SIGKILL')
  }
  const lost = await caught(connection.barrier())
  expect(lost).toBeInstanceOf(WorkerLostError)
  await caught(connection.close())
  // The next one is not disturbed.
  await (await open()).close()
})

test('a call that ends the process says so', async () => {
  const connection = await open()
  const error = await caught(connection.python!.call('os:_exit', [3]))
  expect(error.message).toContain('The embedded worker ended with exit code 3')
  await caught(connection.close())
})

test.each([
  ['no-such-python', 'Expected `python` to be an interpreter that starts, got `no-such-python` (ENOENT)'],
  ['/no/such/python', 'Expected `python` to be an interpreter, got `/no/such/python` (no such file)'],
  ['true', 'The worker ended during start-up with exit code 0'],
])('the interpreter %s is one sentence', async (python, sentence) => {
  expect((await caught(open({ python }))).message).toBe(sentence)
})

test('an unknown launcher', async () => {
  const launcher = 'docker' as 'execa'
  await expect(open({ launcher })).rejects.toThrow(
    'Expected `launcher` to be execa, pythonia, attach or a launcher, got `docker`',
  )
})

test.each([
  ['forget', undefined, { code: 0, signal: null }],
  ['signal', 'SIGKILL', { code: null, signal: 'SIGKILL' }],
] as const)('no process is left behind by a script that ends by: %s %s', async (ending, signal, expected) => {
  const child = spawn(
    process.execPath,
    ['-r', 'ts-node/register/transpile-only', join(__dirname, 'parent.ts'), ending],
    {
      cwd: packageRoot(),
      env: { ...process.env, TEST_LAUNCHER: 'pythonia', TS_NODE_PROJECT: join(packageRoot(), 'tsconfig.json') },
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  const ended = new Promise((resolve) => child.once('exit', (code, name) => resolve({ code, signal: name })))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const { worker } = JSON.parse(line.toString()) as { worker: number }
  if (signal) child.kill(signal)
  expect(await ended).toEqual(expected)
  // The kernel lets the number go once the process has ended; the deadline of the test is the limit.
  while (existsSync(`/proc/${worker}/exe`)) await new Promise((resolve) => setImmediate(resolve))
})
