/** Sends on a ZeroMQ socket in order without waiting. With no high-water mark a send never waits; should one be under way, the next waits here. */
import { FeynkacError } from './errors'

type Frames = readonly Uint8Array[]

export const codeOf = (error: unknown): string | undefined => (error as { code?: string } | null)?.code

export class Outbox {
  private readonly backlog: Frames[] = []
  private blocked = false
  private closed = false

  /** @param transmit sends at once, or throws EBUSY at once; a rejection means that the peer is gone, which is told elsewhere */
  constructor(private readonly transmit: (frames: Frames) => Promise<unknown>) {}

  send(frames: Frames): void {
    if (this.closed) return
    if (this.blocked) this.backlog.push(frames)
    else this.attempt(frames)
  }

  /** Drops what was not sent. */
  close(): void {
    this.closed = true
    this.backlog.length = 0
  }

  private attempt(frames: Frames): void {
    try {
      this.transmit(frames).catch(() => undefined)
    } catch (error) {
      if (codeOf(error) !== 'EBUSY')
        throw new FeynkacError(`Expected to send to the worker, got ${codeOf(error) ?? String(error)}`)
      this.blocked = true
      this.backlog.unshift(frames)
      setImmediate(() => this.resume())
    }
  }

  private resume(): void {
    this.blocked = false
    while (!this.blocked && !this.closed && this.backlog.length > 0) this.attempt(this.backlog.shift() as Frames)
  }
}
