/** A worker that was started by hand, over tcp with keys: sessions, refusals, and every way in which one of the two can go. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Dealer } from 'zeromq'
import { makeKeys, readClientKeys } from '../../bridge/attach/keys'
import { WorkerLostError } from '../../bridge/errors'
import type { ConnectionOptions } from '../../bridge/options'
import { packageRoot } from '../../bridge/root'
import { grad, repeat } from '../../ts/tensor/functions'
import { plan } from '../../ts/tensor/plan'
import { connect, type Session } from '../../ts/tensor/session'
import type { Tensor } from '../../ts/tensor/tensor'
import { ListeningWorker, runs } from '../support/listener'

const folder = mkdtempSync(join(tmpdir(), 'fk-attach-'))
const keys = join(folder, 'keys')
let worker: ListeningWorker
beforeAll(async () => {
  makeKeys(keys)
  worker = await ListeningWorker.start('--keys', keys)
})
afterAll(async () => {
  await worker.stop()
  rmSync(folder, { recursive: true })
})

const quiet = { faults: true, onLog: () => undefined }
const attach = (to: ListeningWorker, options: ConnectionOptions = {}): Promise<Session> =>
  connect({ launcher: 'attach', address: to.address, keys, ...quiet, ...options })

const failure = async (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => Promise.reject(new Error('It succeeded')),
    (error: Error) => error,
  )

async function gone(pid: number): Promise<boolean> {
  const deadline = Date.now() + 10_000
  while (runs(pid) && Date.now() < deadline) await delay(10)
  return !runs(pid)
}

/** The losses of two steps and the weights behind them, as bits. */
async function trained(session: Session): Promise<string> {
  const model = await session.model('resnet8', { width: 4, channels: 1, stem_stride: 2, seed: 1 })
  const optimizer = session.sgd(model.parameters(), { momentum: 0.9 })
  const step = plan('step', (x: Tensor, y: Tensor) => {
    const loss = model.call(x, { mode: 'train' }).crossEntropy(y)
    optimizer.step(grad(loss, model.parameters()), 0.05)
    return loss
  })
  const pixels = Array.from({ length: 4 * 64 }, (_, i) => Math.fround(Math.sin(7 * i * i + 1)))
  const [x, y] = [session.put(pixels, [4, 1, 8, 8]), session.put([0, 1, 2, 3], [4], 'int64')]
  const losses = await session.items([step(x, y), step(x, y)])
  const weights = await Promise.all(model.parameters().map(async (weight) => (await weight.read()).data))
  return JSON.stringify([losses, weights.map((data) => Array.from(data, Number))])
}

describe('a session', () => {
  let session: Session
  beforeAll(async () => {
    session = await attach(worker)
  })
  afterAll(() => session.close())

  test('over tcp trains to the bits of a child process', async () => {
    const child = await connect({ device: 'cpu', threads: 1 })
    const expected = await trained(child)
    await child.close()
    expect(await trained(session)).toBe(expected)
  })

  test('a second client is refused in one sentence while the first is served', async () => {
    const error = await failure(attach(worker))
    expect(error).toBeInstanceOf(WorkerLostError)
    expect(error.message).toMatch(
      /^Expected a worker without a client, got the one on \S+, which serves another client$/,
    )
    expect(session.connection.alive).toBe(true)
  })

  test('cancel goes over the control socket and stops a loop that runs', async () => {
    const stop = new AbortController()
    const endless = plan('endless', (x: Tensor) => {
      x.print('it runs')
      return repeat(100_000_000, x, (x) => x.add(1))
    })
    const running = worker.says('it runs')
    const read = failure(endless(session.put([0], [1])).item({ signal: stop.signal }))
    // The plan prints when it runs; nothing is cancelled before.
    await running
    stop.abort()
    expect((await read).name).toBe('CancelledError')
    // Answered only once the loop has ended, which takes hours.
    expect(await session.put([7], [1]).item()).toBe(7)
  })

  test('a file that is missing is looked for on the machine of the worker', async () => {
    const error = await failure(session.load(join(folder, 'none.safetensors')))
    expect(error.message).toMatch(/the worker looks for files on its own machine, \S+$/)
  })

  test('a wrong frame and a stranger without the token end nothing', async () => {
    const { serverKey, publicKey, secretKey } = readClientKeys(keys)
    const port = Number(worker.address.split(':').pop())
    for (const [to, frames] of [
      [port + 1, ['{"open"']],
      [port + 1, ['{"kill": true}']],
      [port + 1, ['[]', 'more']],
      [port, ['\xc1 garbage', 'more']],
    ] as const) {
      const socket = new Dealer({
        linger: 1000,
        curveServerKey: serverKey,
        curvePublicKey: publicKey,
        curveSecretKey: secretKey,
      })
      socket.connect(`tcp://127.0.0.1:${to}`)
      const heard = frames[0].startsWith('{"kill') || to === port ? undefined : worker.says('was ignored')
      await socket.send([...frames])
      await heard
      socket.close()
    }
    expect(await session.put([3], [1]).item()).toBe(3)
  })
})

describe('refused in one sentence', () => {
  test('without keys on an address of other machines, before anything is sent', async () => {
    for (const address of [
      'tcp://192.0.2.1:5555',
      'tcp://example.org:5555',
      'tcp://0.0.0.0:5555',
      'tcp://[::2]:5555',
    ]) {
      const error = await failure(connect({ launcher: 'attach', address }))
      expect(error.message).toBe(
        `Expected \`keys\` for ${address}, which is not this machine (localhost, 127.0.0.0/8, ::1), got none`,
      )
    }
  })

  test.each(['', 'ipc:///tmp/x', 'tcp://host', 'tcp://host:0', 'tcp://host:65535', 'tcp://a b:1'])(
    'the address `%s`',
    async (address) => {
      const error = await failure(connect({ launcher: 'attach', address, keys }))
      expect(error.message).toBe(
        `Expected \`address\` to be tcp://HOST:PORT with a port of 1 to 65534, got \`${address}\``,
      )
    },
  )

  test('a client whose key is not known, and one without keys', async () => {
    const strange = join(folder, 'strange')
    makeKeys(strange)
    cpSync(join(keys, 'server.public'), join(strange, 'server.public'))
    for (const given of [strange, undefined]) {
      const error = await failure(attach(worker, { keys: given, startTimeoutMs: 700 }))
      expect(error.message).toMatch(
        /^Expected a worker at tcp:\S+ to answer within 700 ms, got silence; check that it runs and that [^.;]+$/,
      )
    }
  })

  test('keys that are missing, damaged, open to others, or there already', async () => {
    const other = join(folder, 'other')
    expect((await failure(attach(worker, { keys: other }))).message).toContain('Expected the key')
    makeKeys(other)
    expect(statSync(join(other, 'client.secret')).mode & 0o777).toBe(0o600)
    expect(() => makeKeys(other)).toThrow('Expected a folder without keys')
    rmSync(join(other, 'client.secret'))
    writeFileSync(join(other, 'client.secret'), 'x'.repeat(40), { mode: 0o644 })
    expect((await failure(attach(worker, { keys: other }))).message).toContain('readable by its owner only')
    writeFileSync(join(other, 'server.public'), 'short')
    expect((await failure(attach(worker, { keys: other }))).message).toContain('to hold one key of 40 characters')
  })
})

describe('an end', () => {
  test('of the process that works for a session tells signal and address, and the worker serves on', async () => {
    const session = await attach(worker)
    const error = await failure(session.connection.call('fault.segfault', {}).value)
    expect(error).toMatchObject({ name: 'WorkerLostError', signal: 'SIGSEGV' })
    expect(error.message).toContain(worker.address)
    await session.close()
  })

  test('of a client by SIGKILL frees what it had for the next one', async () => {
    const script = join(__dirname, 'parent.ts')
    const client = spawn(process.execPath, ['-r', 'ts-node/register/transpile-only', script, 'signal'], {
      cwd: packageRoot(),
      env: { ...process.env, NODE_OPTIONS: '', TEST_LAUNCHER: 'attach', TEST_ADDRESS: worker.address, TEST_KEYS: keys },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(client.stdout, 'data')) as [Buffer]
    const { worker: pid } = JSON.parse(String(line)) as { worker: number }
    expect(runs(pid)).toBe(true)
    client.kill('SIGKILL')
    await once(client, 'exit')
    expect(await gone(pid)).toBe(true)
    const session = await attach(worker)
    expect(session.info.pid).not.toBe(pid)
    expect((await session.memory()).handles).toBe(0)
    await session.close()
  })

  test.each(['SIGSTOP', 'SIGKILL'] as const)('of the worker by %s rejects what waits', async (signal) => {
    const mine = await ListeningWorker.start('--keys', keys)
    const session = await attach(mine, { silenceMs: 1500 })
    const read = failure(session.connection.call('fault.hang', {}).value)
    process.kill(mine.pid, signal)
    const error = await read
    expect(error).toBeInstanceOf(WorkerLostError)
    const why = signal === 'SIGKILL' ? 'the connection broke' : 'no heartbeat for 1500 ms'
    expect(error.message).toMatch(/^The worker at tcp:\S+ \(\S+, process \d+\) is gone \(.*\) after command #1$/)
    expect(error.message).toContain(`${mine.address} `)
    expect(error.message).toContain(why)
    await mine.stop('SIGKILL')
    expect(await gone(session.info.pid)).toBe(true)
    await session.close()
  })

  test('of the worker by a signal is told to its client', async () => {
    const mine = await ListeningWorker.start()
    const session = await attach(mine, { keys: undefined })
    const read = failure(session.connection.call('fault.hang', {}).value)
    expect(await mine.stop('SIGINT')).toBe(0)
    expect((await read).message).toContain('it was stopped by SIGINT')
    await session.close()
  })
})
