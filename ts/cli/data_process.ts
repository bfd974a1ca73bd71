/**
 * Runs `python -m feynkac_worker.data`, which reads, checks and downloads data sets. A process of its own, without a
 * worker: it needs no torch, whose import takes seconds, and Python's http client follows the proxy of the environment.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findPython, packageRoot } from '../../setup/environment'
import type { Task, Terminal } from './terminal'

type Line =
  | { readonly progress: readonly [file: string, done: number, total: number] }
  | { readonly value: unknown }
  | { readonly error: string }

/** The value that the process prints last; progress of files goes to the terminal. Throws its error, one sentence. */
export async function askData(terminal: Terminal, args: readonly string[]): Promise<unknown> {
  const child = spawn(findPython().python, ['-m', 'feynkac_worker.data', ...args], {
    env: { ...process.env, PYTHONPATH: join(packageRoot(), 'py'), PYTHONUNBUFFERED: '1', PYTHONIOENCODING: 'utf-8' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stopped: NodeJS.Signals | undefined
  const stop = (signal: NodeJS.Signals): void => {
    stopped = signal
    child.kill('SIGTERM')
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  try {
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text))
    const closed = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
    // otherwise a process that cannot start would be an unhandled rejection while lines are awaited
    closed.catch(() => undefined)
    const last = await readLines(createInterface({ input: child.stdout }), terminal)
    const code = await closed
    if (last !== undefined && 'value' in last) return last.value
    if (stopped !== undefined) {
      throw new Error(`stopped by ${stopped}; what has arrived is kept, run the command again to go on`)
    }
    if (last !== undefined && 'error' in last) throw new Error(last.error)
    throw new Error(`The process that reads data sets ended with code ${code}: ${complaint.trim() || 'no message'}`)
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

/** Shows progress until the stream ends; gives the last other line. */
async function readLines(lines: AsyncIterable<string>, terminal: Terminal): Promise<Line | undefined> {
  const tasks = new Map<string, Task>()
  let last: Line | undefined
  for await (const text of lines) {
    const line = JSON.parse(text) as Line
    if (!('progress' in line)) {
      last = line
      continue
    }
    const [file, done, total] = line.progress
    const task = tasks.get(file) ?? terminal.task(file, total)
    tasks.set(file, task)
    if (done === total) task.finish(megabytes(total))
    else task.update(done)
  }
  return last
}

/** A size as people compare it with their disk and their network. */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`
