/**
 * The two directions tied together: what was sent and not yet answered, who waits for it, and what happens when the worker is gone.
 * It listens only while answers are due, so that a script that forgets `close()` still ends.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { CancelledError, FeynkacError, ProtocolError, type CallSite } from './errors'
import { closeWorker, lossOf, type Started } from './lifecycle'
import { Command } from './messages'
import { CommandQueue } from './queue'
import { Replies, type Reply } from './replies'

/** Options of everything that waits. */
export interface Wait {
  /** Cancels the command and everything before it that has not ended; the promise rejects at once. */
  readonly signal?: AbortSignal
}

interface Waiter {
  resolve(): void
  reject(error: Error): void
}

const noop = (): void => undefined

const cancelled = (signal: AbortSignal): CancelledError => {
  const error = new CancelledError('Cancelled by its AbortSignal')
  error.cause = signal.reason
  return error
}

export class Link {
  readonly queue: CommandQueue
  readonly replies: Replies
  private readonly waiters: Waiter[] = []
  private pumping = false
  private down: FeynkacError | undefined
  private closing: Promise<void> | undefined
  private unseenLoss: FeynkacError | undefined

  constructor(
    private readonly started: Started,
    private readonly hooks: { acknowledged(seq: number): void; flushed(): void },
  ) {
    this.replies = new Replies(
      (seq) => this.acknowledge(seq),
      (seq) => this.issuedBy(seq),
    )
    this.queue = new CommandQueue(
      started.transport,
      () => this.flushed(),
      (error) => this.fault(error),
      {
        debug: started.settings.debug,
        lastSeq: started.lastSeq,
      },
    )
    void this.watch()
  }

  /** Commands can still be issued. */
  get up(): boolean {
    return this.down === undefined && this.closing === undefined
  }

  /** Frees can still be sent. */
  get reachable(): boolean {
    return this.down === undefined
  }

  /** Throws what brought the link down. */
  requireUp(): void {
    if (this.down) throw this.down
    if (this.closing) throw new FeynkacError('Expected an open session, got one that is closing')
  }

  /** The same before anything that waits; with `failFast` also any error that no promise has shown. */
  requireReadable({ signal }: Wait): void {
    this.requireUp()
    if (signal?.aborted) throw cancelled(signal)
    const unread = this.started.settings.failFast ? this.replies.takeUnread() : undefined
    if (unread) throw unread
  }

  /** Sends a command with everything before it, and waits for its answer. */
  async ask(call: CallSite, item: unknown[], { signal }: Wait = {}, watched = true): Promise<Reply> {
    const reply = this.replies.expect(call, watched)
    const forget = this.onAbort(signal, call.seq, (error) => this.replies.abandon(call.seq, error))
    this.queue.push(item, call.seq, call.site)
    this.queue.flush()
    try {
      return await reply
    } finally {
      forget()
    }
  }

  /** Resolves when another command fits in the window. */
  async ready({ signal }: Wait): Promise<void> {
    this.queue.flush()
    if (this.queue.roomy) return
    let forget = noop
    try {
      await new Promise<void>((resolve, reject) => {
        forget = this.onAbort(signal, this.queue.issued, reject)
        this.waiters.push({ resolve, reject })
      })
    } finally {
      forget()
    }
  }

  /** Cancels every command up to `seq` that has not ended. */
  cancel(seq = this.queue.issued): void {
    this.started.worker.control({ cancel: seq })
  }

  /** Lets the worker finish and end; forces it when it falls silent. */
  close(): Promise<void> {
    return (this.closing ??= this.shutDown())
  }

  /** The first error that no promise has shown, with a count of the others. */
  takeUnread(): FeynkacError | undefined {
    const more = this.replies.unread - 1
    const error = this.replies.takeUnread() ?? this.unseenLoss
    this.unseenLoss = undefined
    if (error && more > 0) error.message += `\n  and ${more} more that were not read`
    return error
  }

  private async shutDown(): Promise<void> {
    if (this.down) return
    const seq = this.queue.next()
    const bye = this.ask({ what: 'close', seq }, [Command.Bye, seq])
    try {
      await closeWorker(this.started, bye)
    } finally {
      this.fall(new FeynkacError('Expected an open session, got a closed one'))
    }
  }

  private async watch(): Promise<void> {
    const exit = await this.started.worker.exited
    // What the worker said last may still lie in the socket.
    await turn()
    await turn()
    const error = lossOf(exit, this.queue.acked)
    if (!this.down && !this.closing && this.replies.outstanding + this.waiters.length === 0) this.unseenLoss = error
    this.fall(error)
  }

  private acknowledge(seq: number): void {
    this.queue.acknowledge(seq)
    this.hooks.acknowledged(seq)
    while (this.waiters.length > 0 && this.queue.roomy) this.waiters.shift()?.resolve()
  }

  private issuedBy(seq: number): CallSite | undefined {
    const site = this.queue.siteFor(seq)
    return site && { what: site.what ?? 'run', seq, site, near: site.seq !== undefined && site.seq !== seq }
  }

  private onAbort(signal: AbortSignal | undefined, seq: number, reject: (error: Error) => void): () => void {
    if (!signal) return noop
    const abort = (): void => {
      this.cancel(seq)
      reject(cancelled(signal))
    }
    signal.addEventListener('abort', abort, { once: true })
    return () => signal.removeEventListener('abort', abort)
  }

  private flushed(): void {
    this.hooks.flushed()
    if (this.pumping) return
    this.pumping = true
    void this.listen()
  }

  private async listen(): Promise<void> {
    try {
      while (!this.down && (this.queue.sent !== this.queue.acked || this.replies.outstanding > 0)) {
        const frames = await this.started.transport.receive()
        if (!this.down) this.replies.accept(frames)
      }
    } catch (error) {
      this.fault(error)
    } finally {
      this.pumping = false
    }
  }

  /** Something broke on this side or in the protocol: the order of commands can no longer be trusted. */
  private fault(error: unknown): void {
    if (this.down) return
    this.started.worker.kill('SIGKILL')
    this.fall(
      error instanceof FeynkacError
        ? error
        : new ProtocolError(`Expected the connection to work, got \`${String(error)}\``),
    )
  }

  private fall(error: FeynkacError): void {
    if (this.down) return
    this.down = error
    this.replies.abandonAll(error)
    for (const waiter of this.waiters.splice(0)) waiter.reject(error)
    this.queue.clear()
    this.started.transport.close()
  }
}
