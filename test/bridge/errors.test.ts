import { CancelledError, FeynkacError, ServiceError, TorchOpError, WorkerLostError } from '../../bridge/errors'
import type { Handle } from '../../bridge/handle'
import { FAILING, connect } from './fake_worker'

const one = (handles: Handle[]): Handle => handles[0] as Handle

const caught = async (promise: Promise<unknown>): Promise<FeynkacError> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof FeynkacError) return error
  throw new Error(`Expected a FeynkacError, got ${String(error)}`)
}

describe('root errors', () => {
  test('the printed form names the line in the plan, the run and the read', async () => {
    const { connection } = connect()
    const bad = one(connection.run(FAILING, [['i', 1]], 1))
    const worse = one(connection.run(1, [bad], 1))
    const error = await caught(connection.items([worse]))
    expect(error).toBeInstanceOf(TorchOpError)
    const lines = error.message.split('\n')
    expect(lines[0]).toBe('mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)')
    expect(lines[1]).toMatch(/^ {2}in plan "pgdStep", op matmul +script\.ts:31:41$/)
    expect(lines[2]).toMatch(/^ {2}run #2 issued at +test\/bridge\/errors\.test\.ts:\d+:\d+$/)
    expect(lines[3]).toMatch(/^ {2}first seen by read #4 at +test\/bridge\/errors\.test\.ts:\d+:\d+$/)
    expect(lines[4]).toBe('  inputs  a: float32[2, 3]  b: float32[2, 3]')
    expect(error.stack).toMatch(/^TorchOpError: mat1[^]*RuntimeError[^]*at .*errors\.test\.ts/)
    expect(error.traceback).toContain('RuntimeError')
  })

  test('one failure among a thousand runs: dependents share its error, others go on', async () => {
    const { connection } = connect()
    let chain = one(connection.run(1, [['i', 1]], 1))
    const healthy: Handle[] = []
    for (let i = 0; i < 1000; i++) {
      chain = one(connection.run(i === 500 ? FAILING : 1, [chain], 1))
      healthy.push(one(connection.run(1, [['i', i]], 1)))
      if (i % 200 === 0) await connection.ready()
    }
    const error = await caught(connection.items([chain]))
    expect(await caught(connection.items([chain]))).toBe(error)
    expect(error.details.rootSeq).toBe(2 + 1 + 2 * 500)
    expect(await connection.items([healthy[999]!])).toEqual([999])
    await connection.close()
  })

  test('in a hot loop the place may be that of an earlier run, and says so', async () => {
    const { connection } = connect()
    let last: Handle | undefined
    for (let i = 0; i < 100; i++) last = one(connection.run(FAILING, [['i', i]], 1))
    expect((await caught(connection.items([last!]))).message).toMatch(
      /run #101 issued near +test\/bridge\/errors\.test\.ts/,
    )
  })

  test('with debug every place is exact', async () => {
    const { connection } = connect({ debug: true })
    let last: Handle | undefined
    for (let i = 0; i < 100; i++) last = one(connection.run(FAILING, [['i', i]], 1))
    expect((await caught(connection.items([last!]))).message).toMatch(
      /run #101 issued at +test\/bridge\/errors\.test\.ts/,
    )
  })

  test('an error that nobody read is thrown at close, once', async () => {
    const { connection } = connect()
    connection.run(FAILING, [], 1)
    connection.run(FAILING, [], 1)
    const error = await caught(connection.close())
    expect(error).toBeInstanceOf(TorchOpError)
    expect(error.message).toContain('and 1 more that were not read')
  })

  test('an error that was read is not thrown again', async () => {
    const { connection } = connect()
    await caught(connection.items(connection.run(FAILING, [], 1)))
    await connection.close()
  })

  test('failFast throws it at the next await', async () => {
    const { connection } = connect({ failFast: true })
    connection.run(FAILING, [], 1)
    await connection.barrier()
    await expect(connection.ready()).rejects.toBeInstanceOf(TorchOpError)
    await connection.close()
  })
})

describe('services', () => {
  test('a refusal is one sentence', async () => {
    const { connection } = connect()
    const error = await caught(connection.call('refuse', {}).value)
    expect(error).toBeInstanceOf(ServiceError)
    expect(error.message).toBe('Expected better')
    await connection.close()
  })

  test('a value that nobody asks for fails at close, not as an unhandled rejection', async () => {
    const { connection } = connect()
    connection.call('refuse', {})
    expect(await caught(connection.close())).toBeInstanceOf(ServiceError)
  })

  test('handles can be used before the value is there', async () => {
    const { connection } = connect()
    const { handles, value } = connection.call('make', { a: 1 }, [], ['module'])
    expect(handles[0]?.kind).toBe('module')
    const sum = connection.run(1, [one(handles), ['i', 4]], 1)
    expect(await connection.items(sum)).toEqual([4])
    expect(await value).toEqual({ a: 1 })
  })
})

describe('cancellation', () => {
  test('rejects at once and tells the worker', async () => {
    const { fake, connection } = connect()
    fake.held = true
    const abort = new AbortController()
    const read = connection.items(connection.run(1, [], 1), { signal: abort.signal })
    abort.abort('enough')
    const error = await caught(read)
    expect(error).toBeInstanceOf(CancelledError)
    expect(error.cause).toBe('enough')
    expect(fake.controls).toEqual([{ cancel: 3 }])
    fake.release()
    await connection.barrier()
  })

  test('an aborted signal sends nothing', async () => {
    const { fake, connection } = connect()
    await expect(connection.barrier({ signal: AbortSignal.abort() })).rejects.toBeInstanceOf(CancelledError)
    expect(() => connection.call('x', {}, [], 0, { signal: AbortSignal.abort() })).toThrow(CancelledError)
    await connection.barrier()
    expect(fake.seen.length).toBe(1)
  })

  test('of ready() leaves the others waiting', async () => {
    const { fake, connection } = connect()
    fake.held = true
    for (let i = 0; i < 4000; i++) connection.run(1, [], 0)
    const abort = new AbortController()
    const first = connection.ready({ signal: abort.signal })
    const second = connection.ready()
    abort.abort()
    await expect(first).rejects.toBeInstanceOf(CancelledError)
    fake.release()
    await second
  })

  test('an answered read no longer listens to its signal', async () => {
    const { fake, connection } = connect()
    const abort = new AbortController()
    await connection.barrier({ signal: abort.signal })
    abort.abort()
    expect(fake.controls).toEqual([])
  })
})

describe('loss', () => {
  test('rejects everything that waits, with the story', async () => {
    const { fake, connection } = connect()
    await connection.barrier()
    fake.held = true
    const waits = [connection.barrier(), connection.items(connection.run(1, [], 1)), connection.call('x', {}).value]
    for (let i = 0; i < 4000; i++) connection.run(1, [], 0)
    waits.push(connection.ready())
    fake.exit({ signal: 'SIGKILL', lastStderr: ['one', 'two'] })
    for (const wait of waits) {
      const error = await caught(wait)
      expect(error).toBeInstanceOf(WorkerLostError)
      expect(error).toMatchObject({ signal: 'SIGKILL', exitCode: null, ackedSeq: 2, lastStderr: ['one', 'two'] })
      expect(error.message).toMatch(
        /^The worker ended with signal SIGKILL after command #2; .*out of memory[^]*\| one\n {2}\| two$/,
      )
    }
    expect(() => connection.run(1, [], 1)).toThrow(WorkerLostError)
    expect(connection.alive).toBe(false)
    await connection.close()
  })

  test('that nobody saw is thrown at close', async () => {
    const { fake, connection } = connect()
    fake.exit({ exitCode: 3 })
    await fake.exited
    await new Promise((resolve) => setTimeout(resolve, 20))
    const error = await caught(connection.close())
    expect(error.message).toBe('The worker ended with exit code 3 after command #1')
  })

  test('to a sticky CUDA error says what to do', async () => {
    const { fake, connection } = connect()
    fake.held = true
    const read = connection.barrier()
    fake.exit({ exitCode: 70 })
    expect((await caught(read)).message).toMatch(/exit code 70 .*cuda-sticky.*open a new session/)
    await connection.close()
  })

  test('a free after the loss is quiet', async () => {
    const { fake, connection } = connect()
    const handle = one(connection.run(1, [], 1))
    await connection.barrier()
    fake.held = true
    const read = connection.barrier()
    fake.exit({ exitCode: 3 })
    const error = await caught(read)
    expect(error).toBeInstanceOf(WorkerLostError)
    handle.free()
    await connection.close()
  })
})

describe('close', () => {
  test('waits for what was issued, and can be called twice', async () => {
    const { fake, connection } = connect()
    for (let i = 0; i < 3000; i++) connection.run(1, [], 0)
    const read = connection.items(connection.run(1, [['i', 5]], 1))
    await Promise.all([connection.close(), connection.close()])
    expect(await read).toEqual([5])
    expect(fake.seen.length).toBe(3003)
    expect(() => connection.run(1, [], 0)).toThrow('Expected an open session, got a closed one')
  })

  test('kills a worker that falls silent', async () => {
    const { fake, connection } = connect({ silenceMs: 40 })
    fake.held = true
    const error = await caught(connection.close())
    expect(error).toBeInstanceOf(WorkerLostError)
    expect(error.message).toContain('did not answer for 40 ms while closing and was killed')
    expect(fake.killed).toBe(true)
  })
})

test.each([
  [{ device: 'tpu' as 'cpu' }, 'Expected `device` to be auto, cpu, cuda or cuda:<index>, got `tpu` (string)'],
  [{ threads: 0 }, 'Expected `threads` to be a positive integer, got `0` (number)'],
  [{ startTimeoutMs: 1.5 }, 'Expected `startTimeoutMs` to be a positive integer, got `1.5` (number)'],
])('options %p are refused', (options, message) => expect(() => connect(options)).toThrow(message))
