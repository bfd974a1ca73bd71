/** Ordered frames to one worker and back. ZeroMQ in production, memory in tests. */
export interface Transport {
  /** Never blocks and keeps the order. The frames belong to the transport from here on. Throws when the peer is gone. */
  send(frames: readonly Uint8Array[]): void
  /** The next message; rejects once closed. At most one call at a time. A pending call keeps the process alive. */
  receive(): Promise<readonly Uint8Array[]>
  /** Drops what was not sent. */
  close(): void
}
