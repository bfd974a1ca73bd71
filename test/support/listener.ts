/** A worker that was started by hand, as `feynkac worker` starts it, on a free port of this machine. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LineSplitter } from '../../bridge/lines'
import { packageRoot } from '../../bridge/root'
import { findPython } from '../../setup/environment'

/** Runs, or is a zombie that only its own parent could reap: `kill -0` cannot tell the two apart. */
export const runs = (pid: number): boolean => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !'ZX'.includes(stat[stat.lastIndexOf(')') + 2] ?? 'X')
  } catch {
    return false
  }
}

export class ListeningWorker {
  readonly log: string[] = []
  address = ''
  private readonly waiting: { text: string; resolve: () => void }[] = []

  private constructor(readonly child: ChildProcess) {
    const lines = new LineSplitter((line) => {
      this.log.push(line)
      for (const { text, resolve } of this.waiting) if (line.includes(text)) resolve()
    })
    child.stderr?.on('data', (chunk: Buffer) => lines.push(chunk))
  }

  get pid(): number {
    return this.child.pid as number
  }

  static async start(...options: string[]): Promise<ListeningWorker> {
    const words = ['--listen', 'tcp://127.0.0.1:*', '--threads', '1', '--device', 'cpu', '--faults', ...options]
    const child = spawn(findPython().python, ['-u', '-m', 'feynkac_worker', ...words], {
      env: { ...process.env, PYTHONPATH: join(packageRoot(), 'py') },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const started = new ListeningWorker(child)
    await started.says('listening on')
    started.address = /tcp:\S+/.exec(started.log.join('\n'))?.[0] ?? ''
    return started
  }

  /** Resolves with the next line that has `text` in it; rejects when the worker ends first. */
  async says(text: string): Promise<void> {
    const said = new Promise<void>((resolve) => this.waiting.push({ text, resolve }))
    const ended = once(this.child, 'close').then(() => {
      throw new Error(`The listening worker ended: ${this.log.join('\n')}`)
    })
    ended.catch(() => undefined)
    await Promise.race([said, ended])
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill(signal)
      await once(this.child, 'exit')
    }
    return this.child.exitCode
  }
}
