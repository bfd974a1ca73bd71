/** The bridge against the real worker: values, errors, cancellation, faults. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { Dealer } from 'zeromq'
import { encodeCanonical, encodeHeader } from '../../bridge/codec'
import { Connection } from '../../bridge/connection'
import {
  CancelledError,
  FeynkacError,
  OutOfMemoryError,
  ServiceError,
  TimeoutError,
  TorchOpError,
  WorkerLostError,
} from '../../bridge/errors'
import type { Handle } from '../../bridge/handle'
import { execaLauncher } from '../../bridge/launchers/execa'
import { Answer } from '../../bridge/messages'
import type { ConnectionOptions } from '../../bridge/options'
import { packageRoot } from '../../bridge/root'

interface Row {
  readonly name: string
}

const ops = JSON.parse(readFileSync(join(packageRoot(), 'bridge/ops.json'), 'utf8')) as Row[]
const op = (name: string): number => ops.findIndex((row) => row.name === name)

/** `a <op> b` as a plan. */
const binary = (name: string): Uint8Array =>
  encodeCanonical([
    1,
    ['tensor', 'tensor'],
    [
      [
        op(name),
        [
          ['v', 0],
          ['v', 1],
        ],
        0,
      ],
    ],
    [2],
    `plan of ${name}`,
    ['script.ts:31:41'],
  ])

const bytes = (...values: number[]): Uint8Array => new Uint8Array(new Float32Array(values).buffer)

const open = (options: ConnectionOptions = {}): Promise<Connection> =>
  Connection.open({ threads: 1, device: 'cpu', faults: true, onLog: () => undefined, ...options })

const failure = async (promise: Promise<unknown>): Promise<FeynkacError> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof FeynkacError) return error
  throw new Error(`Expected a FeynkacError, got ${String(error)}`)
}

const one = (handles: Handle[]): Handle => handles[0] as Handle

describe('a session', () => {
  let connection: Connection
  beforeAll(async () => (connection = await open()))
  afterAll(() => connection.close())

  test('says who it is', () => {
    expect(connection.welcome).toMatchObject({ protocol: [1, 0], device: 'cpu', threads: 1 })
    expect(connection.welcome.pid).toBeGreaterThan(1)
  })

  test.each([
    ['float32', new Float32Array([1, -0, NaN, Infinity])],
    ['float64', new Float64Array([0.1, 1e300])],
    ['int32', new Int32Array([-5, 2 ** 31 - 1])],
    ['int64', new BigInt64Array([2n ** 53n + 1n, -1n])],
    ['uint8', new Uint8Array([0, 255, 7])],
    ['bool', new Uint8Array([0, 1, 1])],
    ['float32', new Float32Array(0)],
    ['float32', new Float32Array([9, 8, 7, 6, 5]).subarray(1, 4)],
  ])('%s comes back as it went', async (dtype, data) => {
    const view = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    const [back] = await connection.get([connection.put(view, dtype, [data.length])])
    expect(back).toMatchObject({ dtype, shape: [data.length] })
    expect(Buffer.from(back!.bytes).equals(Buffer.from(view))).toBe(true)
    expect(back!.bytes.byteOffset % 8).toBe(0)
  })

  test('a scalar has no dimensions', async () => {
    const [back] = await connection.get([connection.put(bytes(2.5), 'float32', [])])
    expect(back!.shape).toEqual([])
  })

  test('64 MiB come back', async () => {
    const data = new Float32Array(2 ** 24).fill(0.25)
    data[2 ** 24 - 1] = 3
    const handle = connection.put(new Uint8Array(data.buffer), 'float32', [data.length])
    const [back] = await connection.get([handle])
    const got = new Float32Array(back!.bytes.buffer, back!.bytes.byteOffset, data.length)
    expect([got[0], got[2 ** 24 - 1]]).toEqual([0.25, 3])
    handle.free()
  })

  test('plans run on handles, scalars and each other', async () => {
    const add = connection.bind(connection.define(binary('add')), [])
    let x = connection.put(bytes(1, 2), 'float32', [2])
    for (let i = 0; i < 1000; i++) {
      x = one(connection.run(add, [x, x], 1))
      if (i % 20 === 0) x = connection.put(bytes(1, 2), 'float32', [2])
    }
    const [back] = await connection.get([x])
    expect([...new Float32Array(back!.bytes.buffer, back!.bytes.byteOffset, 2)]).toEqual([2 ** 19, 2 ** 20])
  })

  test('an error names the op, the plan, the run and the shapes; dependents share it', async () => {
    const matmul = connection.bind(connection.define(binary('matmul')), [])
    const a = connection.put(bytes(1, 2, 3, 4, 5, 6), 'float32', [2, 3])
    const bad = one(connection.run(matmul, [a, a], 1))
    const error = await failure(connection.items(connection.run(matmul, [bad, a], 1)))
    expect(error).toBeInstanceOf(TorchOpError)
    expect(error.message).toMatch(
      /shapes cannot be multiplied[^]*in plan "plan of matmul", op matmul +script\.ts:31:41/,
    )
    expect(error.message).toMatch(/run #\d+ issued at +test\/bridge\/worker\.test\.ts:\d+:\d+/)
    expect(error.message).toContain('float32[2, 3]')
  })

  test('a service refuses in one sentence', async () => {
    const error = await failure(connection.call('no.such', {}).value)
    expect(error).toBeInstanceOf(ServiceError)
    expect(error.message).toMatch(/^Expected .*no\.such/)
    expect(error.message).not.toContain('\n')
  })

  test('out of memory is an error like any other', async () => {
    expect(await failure(connection.call('fault.oom', {}).value)).toBeInstanceOf(OutOfMemoryError)
    await connection.barrier()
  })

  test('freed handles leave the worker', async () => {
    const live = async (): Promise<number> =>
      ((await connection.call('device.memory', {}).value) as { handles: number }).handles
    const before = await live()
    const handles = Array.from({ length: 100 }, () => connection.put(bytes(1), 'float32', [1]))
    expect(await live()).toBe(before + 100)
    for (const handle of handles) handle.free()
    expect(await live()).toBe(before)
  })
})

describe('faults', () => {
  test.each([
    [
      'fault.exit',
      { code: 3, text: 'last words without a newline' },
      { exitCode: 3, signal: null },
      'last words without a newline',
    ],
    ['fault.segfault', {}, { exitCode: null, signal: 'SIGSEGV' }, 'SIGSEGV'],
  ])('%s is told with exit code, signal and last log', async (method, params, expected, text) => {
    const connection = await open()
    await connection.barrier()
    const error = await failure(connection.call(method, params).value)
    expect(error).toBeInstanceOf(WorkerLostError)
    expect(error).toMatchObject(expected)
    expect(error.message).toContain(text)
    await connection.close()
  })

  test('a SIGKILL from outside hints at memory', async () => {
    const connection = await open()
    const read = connection.call('fault.hang', {}).value
    process.kill(connection.welcome.pid, 'SIGKILL')
    const error = await failure(read)
    expect(error).toMatchObject({ signal: 'SIGKILL', exitCode: null, ackedSeq: 1 })
    expect(error.message).toContain('out of memory')
    await connection.close()
  })

  test('a stopped worker can be given up, and close() kills it', async () => {
    const connection = await open({ silenceMs: 400 })
    process.kill(connection.welcome.pid, 'SIGSTOP')
    const abort = new AbortController()
    const read = connection.barrier({ signal: abort.signal })
    abort.abort()
    expect(await failure(read)).toBeInstanceOf(CancelledError)
    expect((await failure(connection.close())).message).toContain(
      'did not answer for 400 ms while closing and was killed',
    )
  })

  test('close() waits for a busy worker that answers pings', async () => {
    const connection = await open({ silenceMs: 400 })
    const busy = connection.call('fault.hang', { seconds: 1.5 }).value
    await connection.close()
    expect(await busy).toEqual({})
  })

  test('a flooded log loses nothing else and stays short here', async () => {
    let lines = 0
    const connection = await open({ onLog: () => lines++ })
    await connection.call('fault.flood', { bytes: 20e6 }).value
    const error = await failure(connection.call('fault.exit', { code: 3 }).value)
    expect(lines).toBeGreaterThan(100_000)
    expect((error as WorkerLostError).lastStderr.length).toBe(200)
    await connection.close()
  })

  test('commands behind a cancelled one go on', async () => {
    const connection = await open()
    const abort = new AbortController()
    const hang = connection.call('fault.hang', { seconds: 0.5 }, [], 0, { signal: abort.signal }).value
    const add = connection.bind(connection.define(binary('add')), [])
    abort.abort()
    expect(await failure(hang)).toBeInstanceOf(CancelledError)
    const a = connection.put(bytes(2), 'float32', [])
    expect(await connection.items(connection.run(add, [a, a], 1))).toEqual([4])
    await connection.close()
  })
})

describe('start-up', () => {
  let folder: string
  beforeEach(() => (folder = mkdtempSync(join(os.tmpdir(), 'fk-test-'))))
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const script = (text: string): string => {
    const file = join(folder, 'python')
    writeFileSync(file, `#!/bin/sh\n${text}\n`)
    chmodSync(file, 0o755)
    return file
  }

  async function withTmp<T>(path: string, fn: () => Promise<T>): Promise<T> {
    // jest hands out a copy of process.env, which tmpdir() does not read.
    const spy = jest.spyOn(os, 'tmpdir').mockReturnValue(path)
    try {
      return await fn()
    } finally {
      spy.mockRestore()
    }
  }

  test('a wrong path is one sentence', async () => {
    expect((await failure(open({ python: '/nope/python' }))).message).toBe(
      'Expected `python` to be an interpreter, got `/nope/python` (no such file)',
    )
  })

  test('a wrong name is one sentence', async () => {
    expect((await failure(open({ python: 'no-such-python' }))).message).toBe(
      'Expected `python` to be an interpreter that starts, got `no-such-python` (ENOENT)',
    )
  })

  test('a file that is no program is one sentence', async () => {
    const file = join(folder, 'python')
    writeFileSync(file, 'nothing')
    expect((await failure(open({ python: file }))).message).toBe(
      `Expected \`python\` to be an interpreter that starts, got \`${file}\` (EACCES)`,
    )
  })

  test('an interpreter that ends says how and what it wrote', async () => {
    const error = await failure(open({ python: script('echo "no module named torch" >&2; exit 1') }))
    expect(error.message).toBe('The worker ended during start-up with exit code 1\n  | no module named torch')
  })

  test('a worker that names the missing package is quoted', async () => {
    const error = await failure(
      open({ python: script('echo "Expected the Python package msgpack, found none" >&2; exit 69') }),
    )
    expect(error.message).toBe('Expected the Python package msgpack, found none')
    expect(error).toMatchObject({ exitCode: 69 })
  })

  test('a deadline ends a start that hangs, with what it wrote', async () => {
    const error = await failure(
      open({ python: script('echo "still importing" >&2; exec sleep 60'), startTimeoutMs: 300 }),
    )
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error.message).toBe('Expected the worker to start within 300 ms, got no answer\n  | still importing')
  })

  test('a signal ends a start', async () => {
    const abort = new AbortController()
    const opening = open({ signal: abort.signal })
    setImmediate(() => abort.abort())
    expect(await failure(opening)).toBeInstanceOf(CancelledError)
    expect(await failure(open({ signal: abort.signal }))).toBeInstanceOf(CancelledError)
  })

  test('a temporary folder with a long name is one sentence', async () => {
    const long = join(folder, 'x'.repeat(108))
    mkdirSync(long)
    const error = await withTmp(long, () => failure(open()))
    expect(error.message).toMatch(
      /^Expected the temporary folder \(TMPDIR\) to leave room for a socket path of 107 bytes, got \d+ bytes below/,
    )
  })

  test('a temporary folder that is not there is one sentence', async () => {
    const error = await withTmp('/nope', () => failure(open()))
    expect(error.message).toBe('Expected the temporary folder (TMPDIR) `/nope` to be writable, got ENOENT')
  })

  test('a temporary folder that is a file is one sentence', async () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    const error = await withTmp(file, () => failure(open()))
    expect(error.message).toBe(`Expected the temporary folder (TMPDIR) \`${file}\` to be writable, got ENOTDIR`)
  })

  test('a read-only temporary folder is one sentence', async () => {
    // Root may write anywhere but into the folders of the kernel.
    const folders = process.getuid?.() === 0 ? ['/proc'] : [folder]
    if (folders[0] === folder) chmodSync(folder, 0o500)
    const error = await withTmp(folders[0] as string, () => failure(open()))
    chmodSync(folder, 0o700)
    expect(error.message).toMatch(/^Expected the temporary folder \(TMPDIR\) `.*` to be writable, got E[A-Z]+$/)
  })

  test('a foreign worker with another token is not heard, and takes no command', async () => {
    const stranger = new Dealer({ routingId: 'f'.repeat(32), linger: 0 })
    const connection = await open({
      launcher: {
        name: 'with a stranger',
        launch(options) {
          stranger.connect(options.config.endpoint)
          void stranger.send([encodeHeader([[Answer.Ok, 1, { protocol: [1, 0] }]])])
          return execaLauncher.launch(options)
        },
      },
    })
    expect(connection.welcome.torch).toMatch(/^\d/)
    await stranger.send([encodeHeader([[Answer.Ok, 2, [42]]])])
    expect(await connection.items([connection.put(bytes(7), 'float32', [])])).toEqual([7])
    stranger.receiveTimeout = 0
    await expect(stranger.receive()).rejects.toMatchObject({ code: 'EAGAIN' })
    stranger.close()
    await connection.close()
  })
})
