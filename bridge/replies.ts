/**
 * The incoming side: settles promises, and keeps the root errors that no promise has shown yet. An error that nobody ever read is
 * thrown when the session closes.
 */
import { decodeHeader } from './codec'
import { FeynkacError, ProtocolError, fromWire, type CallSite } from './errors'
import { Answer, type WireError } from './messages'

/** The value of an OK and the frames that came with it. */
export interface Reply {
  readonly value: unknown
  readonly frames: readonly Uint8Array[]
}

interface Waiting {
  readonly call: CallSite
  /** False while nobody looks at the promise: then a failure stays unread. */
  watched: boolean
  resolve(reply: Reply): void
  reject(error: Error): void
}

interface Root {
  readonly error: FeynkacError
  read: boolean
}

/** Enough to answer later reads of old poison with the line of its cause. */
const ROOTS_KEPT = 1024

const isWireError = (value: unknown): value is WireError =>
  typeof value === 'object' &&
  value !== null &&
  'class' in value &&
  'rootSeq' in value &&
  typeof value.rootSeq === 'number'

export class Replies {
  private readonly waiting = new Map<number, Waiting>()
  private readonly roots = new Map<number, Root>()

  constructor(
    private readonly onAck: (seq: number) => void,
    private readonly issuedBy: (seq: number) => CallSite | undefined,
  ) {}

  get outstanding(): number {
    return this.waiting.size
  }

  /** A promise for the answer to command `call.seq`. */
  expect(call: CallSite, watched = true): Promise<Reply> {
    return new Promise((resolve, reject) => this.waiting.set(call.seq, { call, watched, resolve, reject }))
  }

  /** Someone took the promise of command `seq`. */
  watch(seq: number): void {
    const entry = this.waiting.get(seq)
    if (entry) entry.watched = true
  }

  /** Someone was shown this root error. */
  markRead(error: unknown): void {
    for (const root of this.roots.values()) if (root.error === error) root.read = true
  }

  /** Rejects one promise now; its answer is ignored when it comes. */
  abandon(seq: number, error: Error): void {
    this.waiting.get(seq)?.reject(error)
    this.waiting.delete(seq)
  }

  /** Rejects everything: nothing more will come. */
  abandonAll(error: Error): void {
    for (const entry of this.waiting.values()) entry.reject(error)
    this.waiting.clear()
  }

  /** Takes one message apart. Throws ProtocolError when it breaks the protocol. */
  accept(frames: readonly Uint8Array[]): void {
    const [header, ...payloads] = frames
    if (!header) throw new ProtocolError('Expected a header frame, got an empty message')
    for (const item of decodeHeader(header)) {
      const [kind, seq, value] = item
      if (typeof seq !== 'number') throw new ProtocolError('Expected every answer to carry a sequence number')
      if (kind === Answer.Ok) this.settle(seq, { value, frames: payloads })
      else if (kind === Answer.Ack) this.onAck(seq)
      else if (kind === Answer.Err && isWireError(value)) this.fail(seq, value)
      else throw new ProtocolError(`Expected an OK, ERR or ACK, got \`${JSON.stringify(kind)}\``)
    }
  }

  /** The first root error that no promise has shown, marked as read. */
  takeUnread(): FeynkacError | undefined {
    for (const root of this.roots.values()) {
      if (root.read) continue
      root.read = true
      return root.error
    }
    return undefined
  }

  /** How many root errors no promise has shown. */
  get unread(): number {
    let count = 0
    for (const root of this.roots.values()) if (!root.read) count++
    return count
  }

  private settle(seq: number, reply: Reply): void {
    this.waiting.get(seq)?.resolve(reply)
    this.waiting.delete(seq)
  }

  private fail(seq: number, wire: WireError): void {
    const entry = this.waiting.get(seq)
    let root = this.roots.get(wire.rootSeq)
    if (!root) {
      const cause = wire.rootSeq === seq ? entry?.call : undefined
      // A cancellation was asked for; nobody needs to be told at the end.
      root = { error: fromWire(wire, cause ?? this.issuedBy(wire.rootSeq)), read: wire.class === 'CancelledError' }
      this.roots.set(wire.rootSeq, root)
      this.prune()
    }
    if (!entry) return
    this.waiting.delete(seq)
    if (entry.watched) {
      root.read = true
      root.error.seenBy(entry.call)
    }
    entry.reject(root.error)
  }

  private prune(): void {
    for (const [seq, root] of this.roots) {
      if (this.roots.size <= ROOTS_KEPT) return
      if (root.read) this.roots.delete(seq)
    }
    // A loop that fails every time must not grow without bound; the first error says what happened.
    for (const seq of [...this.roots.keys()].slice(ROOTS_KEPT / 2))
      if (this.roots.size > ROOTS_KEPT) this.roots.delete(seq)
  }
}
