/** The hand-written PyTorch loop as a process beside ours: answers how long its steps took. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { type Interface, createInterface } from 'node:readline'
import { findPython, packageRoot } from '../../setup/environment'

export class Peer {
  private readonly child: ChildProcess
  private readonly lines: AsyncIterator<string>

  private constructor() {
    this.child = spawn(findPython().python, [join(packageRoot(), 'benchmarks', 'peers', 'pgd_training.py')], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, PYTHONPATH: join(packageRoot(), 'py') },
    })
    const lines: Interface = createInterface({ input: this.child.stdout! })
    this.lines = lines[Symbol.asyncIterator]()
  }

  /** Starts the process; resolves once its network stands. */
  static async start(setup: object): Promise<Peer> {
    const peer = new Peer()
    await peer.ask(setup)
    return peer
  }

  /** Seconds of `steps` training steps. */
  async steps(steps: number): Promise<number> {
    return (await this.ask({ steps })).seconds
  }

  stop(): void {
    this.child.stdin!.end()
  }

  private async ask(request: object): Promise<{ seconds: number }> {
    this.child.stdin!.write(`${JSON.stringify(request)}\n`)
    const answer = await this.lines.next()
    if (answer.done) throw new Error('The plain PyTorch process ended before it answered; its own message stands above')
    return JSON.parse(answer.value) as { seconds: number }
  }
}
