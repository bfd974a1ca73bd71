/** Runs the command line as its users do: as a process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const entry = join(__dirname, '..', '..', 'bin', 'feynkac.js')

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly finished: Promise<Finished>
}

/** Starts `feynkac` with these arguments. */
export function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, [entry, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()))
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  return { child, finished }
}

/** Runs a command to its end. */
export const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  start(args, env).finished

/** The last line of standard output as JSON; the whole output is in the message when the command failed. */
export function json(finished: Finished): Record<string, unknown> {
  if (finished.code !== 0)
    throw new Error(`feynkac ended with ${finished.code ?? finished.signal}:\n${finished.stderr}${finished.stdout}`)
  return JSON.parse(finished.stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>
}

/** Resolves when `ready` holds; rejects when the command ends before. */
export async function until(running: Running, ready: () => boolean): Promise<void> {
  let ended: Finished | undefined
  void running.finished.then((finished) => (ended = finished))
  while (!ready()) {
    if (ended !== undefined) throw new Error(`feynkac ended too early:\n${ended.stderr}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** The process id of the Python worker of a running command. */
export function workerOf({ child }: Running): number {
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')
  const workers = children
    .map(Number)
    .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('feynkac_worker'))
  if (workers.length !== 1) throw new Error(`Expected one worker of process ${child.pid}, got ${workers.length}`)
  return workers[0]!
}

/** A temporary folder for one test file, removed at its end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'feynkac-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The only run folder below `<runs>/<experiment>`. */
export function onlyRun(runs: string, experiment: string): string {
  const names = readdirSync(join(runs, experiment))
  if (names.length !== 1) throw new Error(`Expected one run in ${join(runs, experiment)}, got ${names.join(', ')}`)
  return join(runs, experiment, names[0]!)
}
