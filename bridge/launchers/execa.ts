/**
 * The default launcher: `python -u -m feynkac_worker` as a child process. Configuration and control lines go in through stdin, never
 * argv, which `ps` shows; logs come out of stderr, answers to control lines out of stdout.
 */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { findPython } from '../../setup/environment'
import { FeynkacError } from '../errors'
import type { Exit, Launcher, LaunchOptions, WorkerProcess } from '../launcher'
import { LineSplitter } from '../lines'
import { packageRoot } from '../root'
import { execa, type ResultPromise } from '../vendor/execa'

/** What the crash report keeps of the log. */
const STDERR_LINES = 200
const FORCE_KILL_MS = 5000
/** A grandchild may hold the log open after the worker ended; its end is not waited for. */
const LOG_GRACE_MS = 250

type Subprocess = ResultPromise<{ buffer: false; reject: false; stdin: 'pipe'; stdout: 'pipe'; stderr: 'pipe' }>

class ExecaWorker implements WorkerProcess {
  readonly exited: Promise<Exit>
  private readonly lastStderr: string[] = []
  private readonly listeners: ((answer: Readonly<Record<string, unknown>>) => void)[] = []
  private gone = false

  constructor(
    private readonly child: Subprocess,
    private readonly python: string,
    onLog: (line: string) => void,
  ) {
    const log = new LineSplitter((line) => {
      if (this.lastStderr.push(line) > STDERR_LINES) this.lastStderr.shift()
      onLog(line)
    })
    const answers = new LineSplitter((line) => this.answer(line))
    child.stderr.on('data', (chunk: Buffer) => log.push(chunk))
    child.stdout.on('data', (chunk: Buffer) => answers.push(chunk))
    // The pipe breaks when the worker dies; `exited` reports it.
    child.stdin.on('error', () => undefined)
    this.exited = this.watch(log)
  }

  get pid(): number | undefined {
    return this.child.pid
  }

  control(line: Readonly<Record<string, unknown>>): void {
    if (!this.gone && this.child.stdin.writable) this.child.stdin.write(JSON.stringify(line) + '\n')
  }

  onControl(listener: (answer: Readonly<Record<string, unknown>>) => void): void {
    this.listeners.push(listener)
  }

  kill(signal?: 'SIGKILL'): void {
    if (signal) this.child.kill(signal)
    else this.child.kill()
  }

  unref(): void {
    this.child.unref()
    for (const pipe of [this.child.stdin, this.child.stdout, this.child.stderr])
      (pipe as unknown as { unref?(): void }).unref?.()
  }

  private answer(line: string): void {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      return
    }
    if (typeof value === 'object' && value !== null)
      for (const listener of this.listeners) listener(value as Record<string, unknown>)
  }

  private async watch(log: LineSplitter): Promise<Exit> {
    const ended = this.child.then((result) => result)
    const seen = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
      this.child.once('exit', (code, signal) => resolve({ code, signal }))
    })
    const first = await Promise.race([seen, ended])
    this.gone = true
    let timer: NodeJS.Timeout | undefined
    await Promise.race([ended, new Promise((resolve) => (timer = setTimeout(resolve, LOG_GRACE_MS)))])
    clearTimeout(timer)
    log.end()
    if ('code' in first && !('failed' in first))
      return { exitCode: first.code, signal: first.signal, failure: null, lastStderr: this.lastStderr }
    const result = await ended
    const failure =
      result.exitCode === undefined && result.signal === undefined
        ? `\`${this.python}\` (${result.code ?? 'failed to start'})`
        : null
    return { exitCode: result.exitCode ?? null, signal: result.signal ?? null, failure, lastStderr: this.lastStderr }
  }
}

const pythonPath = (): string => {
  const own = join(packageRoot(), 'py')
  return process.env.PYTHONPATH ? own + delimiter + process.env.PYTHONPATH : own
}

/** The interpreter to start: the given one, or the one that was prepared. */
export function interpreter(given: string | undefined): string {
  if (given === undefined) return findPython().python
  const isPath = /[\\/]/.test(given)
  if (isPath && !existsSync(given))
    throw new FeynkacError(`Expected \`python\` to be an interpreter, got \`${given}\` (no such file)`)
  return given
}

/** Starts the worker with execa. */
export const execaLauncher: Launcher = {
  name: 'execa',
  launch({ config, python, onLog }: LaunchOptions): WorkerProcess {
    const command = interpreter(python)
    const child = execa(command, ['-u', '-m', 'feynkac_worker'], {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'pipe',
      buffer: false,
      reject: false,
      cleanup: true,
      forceKillAfterDelay: FORCE_KILL_MS,
      env: { PYTHONPATH: pythonPath(), PYTHONUNBUFFERED: '1', OMP_NUM_THREADS: String(config.threads) },
    })
    const worker = new ExecaWorker(child, command, onLog)
    worker.control({ ...config })
    return worker
  },
}
