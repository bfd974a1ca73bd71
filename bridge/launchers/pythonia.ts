/**
 * The embedded launcher: the worker runs inside the Python process of pythonia, so that live objects made by the user's own Python code
 * can be adopted. Only strings cross pythonia, which would end Node on a NaN; control lines and the log have sockets of their own, in the
 * private folder of the transport. One such session at a time: pythonia has one process.
 */
import type { ChildProcess } from 'node:child_process'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { FeynkacError, WorkerLostError } from '../errors'
import type { Exit, Launcher, LaunchOptions, PythonBridge, PythonRequest, WorkerProcess } from '../launcher'
import { LineSplitter } from '../lines'
import { packageRoot } from '../root'
import { interpreter } from './execa'

/** What the crash report keeps of the log. */
const STDERR_LINES = 200
const LOG_GRACE_MS = 250
const FORCE_KILL_MS = 5000

/** `py/feynkac_worker/embedded.py`, through pythonia's proxies. */
type Embedded = Readonly<Record<PythonRequest, (request: string) => Promise<string>>> & {
  start(config: string, path: string): Promise<string>
}

interface Pythonia {
  readonly python: {
    (module: 'sys'): Promise<{ path: { insert(index: number, folder: string): Promise<unknown> } }>
    (module: 'feynkac_worker.embedded'): Promise<Embedded>
    exit(): void
    setFastMode(on: boolean): void
  }
  readonly com: { proc: ChildProcess | null; start(): void }
}

let loaded: Pythonia | undefined
let running = false
/** Proxies that must not be collected: pythonia would then write to a process that may have ended. */
const kept: unknown[] = []

/** Starts pythonia's process. It reads the environment while it does, and only then; all of it is put back. */
function spawnPython(command: string): { pythonia: Pythonia; child: ChildProcess } {
  // No time-out: a call into the user's code may take as long as it likes. DEBUG would print every message.
  const wanted: Readonly<Record<string, string | undefined>> = {
    PYTHON_BIN: command,
    REQ_TIMEOUT: '0',
    DEBUG: undefined,
  }
  const before = Object.keys(wanted).map((key) => [key, process.env[key]] as const)
  const set = ([key, value]: readonly [string, string | undefined]): void => {
    if (value === undefined) delete process.env[key]
    else process.env[key] = value
  }
  Object.entries(wanted).forEach(set)
  try {
    loaded ??= load()
    // The first import has started a process; later ones are started by hand.
    if (!loaded.com.proc) loaded.com.start()
  } finally {
    before.forEach(set)
  }
  return { pythonia: loaded, child: loaded.com.proc as ChildProcess }
}

function load(): Pythonia {
  let pythonia: Pythonia
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded late: importing it starts a process
    pythonia = require('pythonia') as Pythonia
  } catch (error) {
    const reason = String((error as Error).message).split('\n')[0]
    throw new FeynkacError(`Expected the npm package pythonia to load, got \`${reason}\`; run \`npm install pythonia\``)
  }
  // Its clock would keep this process alive, and its global breaks the clean-up of jest.
  const globals = globalThis as { __pythonBridge?: { loop?: NodeJS.Timeout } }
  globals.__pythonBridge?.loop?.unref()
  delete globals.__pythonBridge
  return pythonia
}

class PythoniaWorker implements WorkerProcess, PythonBridge {
  readonly exited: Promise<Exit>
  private readonly ready: Promise<Embedded>
  private readonly lastStderr: string[] = []
  private readonly listeners: ((answer: Readonly<Record<string, unknown>>) => void)[] = []
  private readonly pending = new Set<(error: Error) => void>()
  private readonly server: Server
  private readonly sockets: Socket[] = []
  private exit: Exit | undefined
  private failure: string | null = null
  private force: NodeJS.Timeout | undefined

  constructor(
    private readonly pythonia: Pythonia,
    private readonly child: ChildProcess,
    private readonly command: string,
    { config, onLog }: LaunchOptions,
  ) {
    const log = new LineSplitter((line) => {
      if (this.lastStderr.push(line) > STDERR_LINES) this.lastStderr.shift()
      onLog(line)
    })
    let drain = (): void => undefined
    const drained = new Promise<void>((resolve) => (drain = resolve))
    this.server = createServer((socket) => this.connected(socket, log, drain))
    this.exited = this.watch(log, drained)
    this.ready = this.boot(JSON.stringify(config), join(dirname(config.endpoint.replace(/^ipc:\/\//, '')), 'e'))
    this.ready.catch((error: unknown) => {
      // pythonia puts the story into the stack.
      const { stack, message } = error as Error
      const lines = (stack ?? message).split('\n').map((line) => line.trim())
      this.failure ??= `\`${this.command}\` (${lines.find((line) => /Error\b/.test(line)) ?? message})`
      this.kill('SIGKILL')
    })
  }

  get pid(): number | undefined {
    return this.child.pid
  }

  get embedded(): PythonBridge {
    return this
  }

  control(line: Readonly<Record<string, unknown>>): void {
    const [control] = this.sockets
    if (!this.exit && control?.writable) control.write(JSON.stringify(line) + '\n')
  }

  onControl(listener: (answer: Readonly<Record<string, unknown>>) => void): void {
    this.listeners.push(listener)
  }

  kill(signal?: 'SIGKILL'): void {
    this.child.kill(signal ?? 'SIGTERM')
    if (!signal) this.force ??= setTimeout(() => this.child.kill('SIGKILL'), FORCE_KILL_MS).unref()
  }

  unref(): void {
    this.child.unref()
    for (const part of [this.server, ...this.sockets]) part.unref()
    this.child.channel?.unref()
  }

  async ask(what: PythonRequest, request: string): Promise<string> {
    const embedded = await this.ready
    if (this.exit) throw this.lost(this.exit)
    let forget: (() => void) | undefined
    const gone = new Promise<never>((_, reject) => {
      this.pending.add(reject)
      forget = () => this.pending.delete(reject)
    })
    // pythonia never settles a call whose process died.
    if (this.pending.size === 1) this.child.channel?.ref()
    try {
      return await Promise.race([embedded[what](request), gone])
    } finally {
      forget?.()
      if (this.pending.size === 0) this.child.channel?.unref()
    }
  }

  private async boot(config: string, path: string): Promise<Embedded> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen(path, resolve)
    })
    // Asked for a module without a process, pythonia would start one of its own choice.
    if (this.exit) throw this.lost(this.exit)
    this.pythonia.python.setFastMode(true)
    const sys = await this.pythonia.python('sys')
    await sys.path.insert(0, join(packageRoot(), 'py'))
    const embedded = await this.pythonia.python('feynkac_worker.embedded')
    kept.push(sys, embedded)
    await embedded.start(config, path)
    return embedded
  }

  /** The first connection is control, the second the log. */
  private connected(socket: Socket, log: LineSplitter, drained: () => void): void {
    // Broken by the death of the worker, which `exited` reports.
    socket.on('error', () => undefined)
    if (this.sockets.push(socket) === 1) {
      const answers = new LineSplitter((line) => this.answer(line))
      socket.on('data', (chunk: Buffer) => answers.push(chunk))
      return
    }
    socket.on('data', (chunk: Buffer) => log.push(chunk))
    socket.on('close', drained)
    this.server.close()
  }

  private answer(line: string): void {
    const value: unknown = JSON.parse(line)
    for (const listener of this.listeners) listener(value as Record<string, unknown>)
  }

  private async watch(log: LineSplitter, drained: Promise<void>): Promise<Exit> {
    const { exitCode, signal } = await new Promise<Pick<Exit, 'exitCode' | 'signal'>>((resolve) => {
      this.child.once('exit', (code, name) => resolve({ exitCode: code, signal: name }))
      this.child.on('error', (error: NodeJS.ErrnoException) => {
        // Also errors of sending to a process that has just died, whose exit follows.
        if (!error.syscall?.startsWith('spawn')) return
        this.failure = `\`${this.command}\` (${error.code ?? 'failed to start'})`
        resolve({ exitCode: null, signal: null })
      })
    })
    clearTimeout(this.force)
    let timer: NodeJS.Timeout | undefined
    if (this.sockets.length > 1)
      await Promise.race([drained, new Promise((resolve) => (timer = setTimeout(resolve, LOG_GRACE_MS)))])
    clearTimeout(timer)
    log.end()
    this.exit = { exitCode, signal, failure: this.failure, lastStderr: this.lastStderr }
    for (const reject of this.pending) reject(this.lost(this.exit))
    this.release()
    return this.exit
  }

  private lost(exit: Exit): WorkerLostError {
    const how = exit.signal ? `signal ${exit.signal}` : `exit code ${String(exit.exitCode)}`
    return new WorkerLostError(`The embedded worker ended with ${how}`, { ...exit, ackedSeq: 0, hint: null })
  }

  private release(): void {
    for (const socket of this.sockets) socket.destroy()
    this.server.close()
    // Stops its clock and forgets the process, so that the next session starts another.
    this.pythonia.python.exit()
    running = false
  }
}

/** Starts the worker inside pythonia's Python process. */
export const pythoniaLauncher: Launcher = {
  name: 'pythonia',
  launch(options: LaunchOptions): WorkerProcess {
    if (running)
      throw new FeynkacError('Expected one embedded session at a time (pythonia has one process), got a second')
    const command = interpreter(options.python)
    const { pythonia, child } = spawnPython(command)
    running = true
    return new PythoniaWorker(pythonia, child, command, options)
  },
}
