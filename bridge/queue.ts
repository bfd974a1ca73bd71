/**
 * The ordered outgoing side: numbers commands, batches them, and keeps at most a window of them unacknowledged. What does not fit in
 * the window waits here; beyond eight windows the caller is told to await.
 */
import { encodeHeader } from './codec'
import { BackpressureError, ProtocolError } from './errors'
import { Command } from './messages'
import { Sites, type Site } from './site'
import type { Transport } from './transport'

export const BATCH = 256
export const WINDOW = 2048
export const WINDOW_BYTES = 256 * 2 ** 20
export const HARD_LIMIT = 8 * WINDOW

// Power of two, and larger than any number of commands under way.
const RING = 2 * HARD_LIMIT

type Item = unknown[]

export class CommandQueue {
  /** The last number given out, sent, and acknowledged. */
  issued: number
  sent: number
  acked: number
  /** Counters for `stats()`. */
  messages = 0
  wireBytes = 0

  readonly sites: Sites
  private items: Item[] = []
  private head = 0
  private readonly payloads = new Map<number, Uint8Array>()
  private pendingBytes = 0
  private unackedBytes = 0
  private readonly flying: { seq: number; bytes: number }[] = []
  private readonly siteOf: (Site | undefined)[] = new Array<Site | undefined>(RING)
  private readonly seqOf = new Float64Array(RING)
  private scheduled = false

  constructor(
    private readonly transport: Transport,
    private readonly afterFlush: () => void,
    private readonly onFault: (error: unknown) => void,
    options: { debug: boolean; lastSeq: number },
  ) {
    this.issued = this.sent = this.acked = options.lastSeq
    this.sites = new Sites(options.debug)
  }

  /** The number of the next command. */
  next(): number {
    if (this.issued >= 0xffffffff)
      throw new ProtocolError('Expected at most 2^32 - 1 commands in a session; open a new one')
    return ++this.issued
  }

  /** Throws BackpressureError when a synchronous caller has run too far ahead. */
  requireRoom(): void {
    if (this.issued - this.acked >= HARD_LIMIT || this.pendingBytes + this.unackedBytes >= 8 * WINDOW_BYTES) {
      throw new BackpressureError(
        `Expected at most ${HARD_LIMIT} commands and 2 GiB under way, got ${this.issued - this.acked} commands; put \`await session.ready()\` into the loop that issues them`,
      )
    }
  }

  /** Appends a command that was numbered by `next()`. A payload goes to position 3 of DEF and PUT. */
  push(item: Item, seq: number, site?: Site, payload?: Uint8Array): void {
    this.siteOf[seq & (RING - 1)] = site
    this.seqOf[seq & (RING - 1)] = seq
    if (payload) {
      this.payloads.set(seq, payload)
      this.pendingBytes += payload.byteLength
    }
    this.append(item)
  }

  /** Appends a FREE; neighbours are merged into one. Returns true when `ids` opened a new one. */
  free(ids: number[]): boolean {
    const last = this.items[this.items.length - 1]
    if (this.items.length > this.head && last?.[0] === Command.Free) {
      const merged = last[1] as number[]
      for (const id of ids) merged.push(id)
      return false
    }
    this.append([Command.Free, ids])
    return true
  }

  /** The place a command was issued at, while it is known. */
  siteFor(seq: number): Site | undefined {
    return this.seqOf[seq & (RING - 1)] === seq ? this.siteOf[seq & (RING - 1)] : undefined
  }

  /** True when another command would still fit in the window. */
  get roomy(): boolean {
    return this.issued - this.acked < WINDOW && this.pendingBytes + this.unackedBytes < WINDOW_BYTES
  }

  /** Everything up to `seq` was applied. */
  acknowledge(seq: number): void {
    if (seq > this.sent || seq < this.acked)
      throw new ProtocolError(`Expected an ACK in [${this.acked}, ${this.sent}], got \`${seq}\``)
    for (let s = this.acked + 1; s <= seq; s++) this.siteOf[s & (RING - 1)] = undefined
    this.acked = seq
    while (this.flying.length > 0 && (this.flying[0] as { seq: number }).seq <= seq)
      this.unackedBytes -= (this.flying.shift() as { bytes: number }).bytes
    if (this.head < this.items.length) this.flush()
  }

  /** Sends what the window allows, at most 256 commands a message. */
  flush(): void {
    const before = this.messages
    try {
      while (this.head < this.items.length && this.sendMessage());
    } catch (error) {
      this.onFault(error)
    }
    if (this.messages === before) return
    this.sites.nextBatch()
    this.afterFlush()
  }

  /** Forgets everything that was not sent. */
  clear(): void {
    this.items = []
    this.head = 0
    this.payloads.clear()
    this.siteOf.fill(undefined)
  }

  private append(item: Item): void {
    this.items.push(item)
    if (this.items.length - this.head >= BATCH) this.flush()
    else if (!this.scheduled) {
      this.scheduled = true
      queueMicrotask(() => {
        this.scheduled = false
        if (this.head < this.items.length) this.flush()
      })
    }
  }

  private sendMessage(): boolean {
    const batch: Item[] = []
    const frames: Uint8Array[] = []
    let bytes = 0
    let last = this.sent
    while (batch.length < BATCH && this.head < this.items.length) {
      const item = this.items[this.head] as Item
      if (item[0] !== Command.Free) {
        const seq = item[1] as number
        if (seq - this.acked > WINDOW || bytes + this.unackedBytes >= WINDOW_BYTES) break
        const payload = this.payloads.get(seq)
        if (payload) {
          item[3] = frames.push(payload) - 1
          bytes += payload.byteLength
          this.payloads.delete(seq)
        }
        last = seq
      }
      batch.push(item)
      this.head++
    }
    if (batch.length === 0) return false
    if (this.head > 4096 || this.head === this.items.length) {
      this.items = this.items.slice(this.head)
      this.head = 0
    }
    const header = encodeHeader(batch)
    this.sent = last
    this.pendingBytes -= bytes
    this.unackedBytes += bytes
    if (bytes > 0) this.flying.push({ seq: last, bytes })
    this.messages++
    this.wireBytes += header.byteLength + bytes
    this.transport.send([header, ...frames])
    return true
  }
}
