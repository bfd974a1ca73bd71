/** Start and end of a worker: handshake with a deadline, the story of its death, and a close that never hangs. */
import { createHash, type Hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PROTOCOL_VERSION, encodeHeader } from './codec'
import { CancelledError, FeynkacError, ProtocolError, TimeoutError, WorkerLostError } from './errors'
import { approachLocal, type Approach } from './approach'
import type { Exit, Launcher, WorkerProcess } from './launcher'
import { attach } from './launchers/attach'
import { execaLauncher } from './launchers/execa'
import { pythoniaLauncher } from './launchers/pythonia'
import { Command, type Welcome } from './messages'
import { MAX_HANDLES, MESSAGE_BYTES, PLAN_NODES, type ConnectionOptions, type Settings } from './options'
import { Replies } from './replies'
import { packageRoot, packageVersion } from './root'
import type { Transport } from './transport'

/** A worker that answered HELLO. */
export interface Started {
  readonly transport: Transport
  readonly worker: WorkerProcess
  readonly settings: Settings
  readonly welcome: Welcome
  /** The number of the last command: HELLO. */
  readonly lastSeq: number
  /** The first handle id; only tests of the far end of the range set it. */
  readonly firstHandle?: number
}

const HELLO_SEQ = 1

/** The worker says in one sentence on stderr what is wrong before it ends with one of these. */
const SPOKEN_EXITS = [64, 69, 78]

const sha256 = (): Hash => createHash('sha256')

/** SHA-256 of the op table that this side was built with. */
export const opTableHash = (): string =>
  sha256()
    .update(readFileSync(join(packageRoot(), 'bridge', 'ops.json')))
    .digest('hex')

/** The worker ends itself with this code when CUDA refuses every further call. */
const STICKY_EXIT = 70

function hintFor(exit: Exit): string | null {
  if (exit.exitCode === STICKY_EXIT)
    return 'CUDA cannot be used in a process after such an error (cuda-sticky); open a new session'
  if (exit.signal !== 'SIGKILL') return null
  return 'a SIGKILL that feynkac did not send is most often the kernel running out of memory (see `dmesg`)'
}

const describe = (exit: Exit): string => (exit.signal ? `signal ${exit.signal}` : `exit code ${String(exit.exitCode)}`)

const place = ({ where }: Exit): string => (where === undefined ? '' : `, at ${where}`)

/** The error for a worker that ended although nobody asked it to. */
export function lossOf(exit: Exit, ackedSeq: number): WorkerLostError {
  const story = `The worker ended with ${describe(exit)} after command #${ackedSeq}${place(exit)}`
  return new WorkerLostError(exit.lost ? `${exit.lost} after command #${ackedSeq}` : story, {
    ...exit,
    ackedSeq,
    hint: hintFor(exit),
  })
}

function startFailure(exit: Exit): FeynkacError {
  if (exit.failure) return new FeynkacError(`Expected \`python\` to be an interpreter that starts, got ${exit.failure}`)
  if (exit.lost) return new WorkerLostError(exit.lost, { ...exit, lastStderr: [], ackedSeq: 0, hint: null })
  const said = [...exit.lastStderr].reverse().find((line) => line.trim() !== '')
  if (said && SPOKEN_EXITS.includes(exit.exitCode ?? -1)) {
    return new WorkerLostError(said, { ...exit, lastStderr: [], ackedSeq: 0, hint: null })
  }
  return new WorkerLostError(`The worker ended during start-up with ${describe(exit)}${place(exit)}`, {
    ...exit,
    ackedSeq: 0,
    hint: hintFor(exit),
  })
}

function checkWelcome(value: unknown): Welcome {
  const welcome = value as Welcome
  if (!Array.isArray(welcome?.protocol) || welcome.protocol[0] !== PROTOCOL_VERSION[0]) {
    throw new ProtocolError(
      `Expected a worker of protocol ${PROTOCOL_VERSION.join('.')}, got ${String(welcome?.protocol)}`,
    )
  }
  if (welcome.opTableHash !== opTableHash()) {
    throw new ProtocolError(
      'Expected the worker to have the same op table (bridge/ops.json), got another one; reinstall feynkac',
    )
  }
  return welcome
}

async function shakeHands(
  approach: Approach,
  signal: AbortSignal,
): Promise<{ readonly transport: Transport; readonly welcome: Welcome }> {
  const transport = await approach.greet(
    (token) => [encodeHeader([[Command.Hello, HELLO_SEQ, PROTOCOL_VERSION, token, packageVersion(), opTableHash()]])],
    signal,
  )
  const replies = new Replies(
    () => undefined,
    () => undefined,
  )
  const answer = replies.expect({ what: 'hello', seq: HELLO_SEQ })
  answer.catch(() => undefined)
  while (replies.outstanding > 0) replies.accept(await transport.receive())
  return { transport, welcome: checkWelcome((await answer).value) }
}

function launcherOf(given: string | Launcher): Launcher {
  if (typeof given !== 'string') return given
  const found = [execaLauncher, pythoniaLauncher].find(({ name }) => name === given)
  if (found) return found
  throw new FeynkacError(`Expected \`launcher\` to be execa, pythonia, attach or a launcher, got \`${given}\``)
}

async function approach(
  options: ConnectionOptions,
  settings: Settings,
  onLog: (line: string) => void,
): Promise<Approach> {
  const { device, tensorBytes, allowImports, faults, silenceMs } = settings
  const limits = { messageBytes: MESSAGE_BYTES, planNodes: PLAN_NODES, handles: MAX_HANDLES, tensorBytes }
  if (options.launcher === 'attach') {
    // How many threads the other machine has is not known here.
    const asked = { device, threads: options.threads, limits, allowImports, faults }
    const { address = '', keys } = options
    return attach({ address, keys, asked, silenceMs, onLog })
  }
  const launcher = launcherOf(options.launcher ?? 'execa')
  const config = { threads: settings.threads, device, limits, allowImports, faults }
  return approachLocal(launcher, { config, python: options.python, onLog })
}

/** Starts a worker, or finds one, and waits for its WELCOME. Rejects with one clear sentence, leaving neither process nor files behind. */
export async function openWorker(options: ConnectionOptions, settings: Settings): Promise<Started> {
  const { signal } = options
  const cancelled = (): CancelledError =>
    Object.assign(new CancelledError('Cancelled by its AbortSignal during start-up'), {
      cause: signal?.reason as unknown,
    })
  if (signal?.aborted) throw cancelled()
  const log: string[] = []
  const found = await approach(options, settings, (line) => {
    if (log.push(line) > 8) log.shift()
    settings.onLog(line)
  })
  const { worker } = found
  const stop = new AbortController()
  try {
    const handshake = shakeHands(found, stop.signal)
    // Whoever loses the race below must not surface as an unhandled rejection.
    handshake.catch(() => undefined)
    const failures = new Promise<never>((_, reject) => {
      void worker.exited.then((exit) => reject(startFailure(exit)))
      const timer = setTimeout(() => {
        const tail = log.map((line) => `\n  | ${line}`).join('')
        reject(
          new TimeoutError(
            found.unanswered?.(settings.startTimeoutMs) ??
              `Expected the worker to start within ${settings.startTimeoutMs} ms, got no answer${tail}`,
          ),
        )
      }, settings.startTimeoutMs)
      const abort = (): void => reject(cancelled())
      signal?.addEventListener('abort', abort)
      // It may have fired while the socket was being bound.
      if (signal?.aborted) abort()
      stop.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
      })
    })
    const { transport, welcome } = await Promise.race([handshake, failures])
    worker.unref()
    return { transport, worker, settings, welcome, lastSeq: HELLO_SEQ }
  } catch (error) {
    worker.kill('SIGKILL')
    found.abandon()
    await worker.exited
    throw error
  } finally {
    stop.abort()
  }
}

/**
 * Waits for the answer to BYE as long as the worker shows signs of life, however long its queue is, then for its exit. The control
 * thread answers pings while an operation runs, so silence means a stopped or dead-locked process, and that one is killed.
 */
export async function closeWorker({ worker, settings }: Started, bye: Promise<unknown>): Promise<void> {
  let heard = Date.now()
  let watch: NodeJS.Timeout | undefined
  worker.onControl(() => (heard = Date.now()))
  const silent = new Promise<'silent'>((resolve) => {
    const period = Math.min(1000, settings.silenceMs / 4)
    watch = setInterval(() => {
      if (Date.now() - heard > settings.silenceMs) resolve('silent')
      else worker.control({ ping: heard })
    }, period)
  })
  try {
    const first = await Promise.race([bye.then(() => worker.exited), silent])
    if (first !== 'silent') return
    worker.kill('SIGKILL')
    bye.catch(() => undefined)
    const exit = await worker.exited
    const hint = `it did not answer for ${settings.silenceMs} ms while closing and was killed`
    throw new WorkerLostError('The worker had to be killed', { ...exit, ackedSeq: 0, hint })
  } finally {
    clearInterval(watch)
  }
}
