/**
 * ZeroMQ transport: a ROUTER bound in a private folder, one DEALER whose routing id is the session's token. A DEALER on this side
 * would deal commands out to any worker that connects; the ROUTER addresses one and hears only that one.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Router } from 'zeromq'
import { FeynkacError } from './errors'
import { loadZmq } from './library'
import { codeOf, Outbox } from './outbox'
import type { Transport } from './transport'

/** sun_path holds 108 bytes with the final zero. */
const MAX_PATH = 107

const folders = new Set<string>()
let hooked = false

const remove = (folder: string): void => {
  folders.delete(folder)
  rmSync(folder, { recursive: true, force: true })
}

function privateFolder(): string {
  const parent = tmpdir()
  const length = Buffer.byteLength(join(parent, 'fk-XXXXXX', 'c'))
  if (length > MAX_PATH) {
    throw new FeynkacError(
      `Expected the temporary folder (TMPDIR) to leave room for a socket path of ${MAX_PATH} bytes, got ${length} bytes below \`${parent}\``,
    )
  }
  if (!hooked) process.once('exit', () => [...folders].forEach(remove))
  hooked = true
  try {
    const folder = mkdtempSync(join(parent, 'fk-'))
    folders.add(folder)
    return folder
  } catch (error) {
    throw new FeynkacError(
      `Expected the temporary folder (TMPDIR) \`${parent}\` to be writable, got ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
    )
  }
}

export class ZmqTransport implements Transport {
  private readonly outbox = new Outbox((frames) => this.socket.send([this.identity, ...frames]))
  private readonly identity: Buffer
  private closed = false

  private constructor(
    private readonly socket: Router,
    private readonly folder: string,
    readonly endpoint: string,
    readonly token: string,
  ) {
    this.identity = Buffer.from(token)
  }

  static async bind(messageBytes: number): Promise<ZmqTransport> {
    const zmq = loadZmq()
    const folder = privateFolder()
    const endpoint = `ipc://${join(folder, 'c')}`
    const socket = new zmq.Router({
      mandatory: true,
      linger: 0,
      sendHighWaterMark: 0,
      receiveHighWaterMark: 0,
      maxMessageSize: messageBytes,
    })
    try {
      await socket.bind(endpoint)
    } catch (error) {
      socket.close()
      remove(folder)
      throw new FeynkacError(`Expected to bind a socket in \`${folder}\`, got ${codeOf(error) ?? String(error)}`)
    }
    return new ZmqTransport(socket, folder, endpoint, randomBytes(16).toString('hex'))
  }

  /** Sends the first message as soon as the worker is connected; rejects when `signal` aborts. */
  async sendFirst(frames: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        return await this.socket.send([this.identity, ...frames])
      } catch (error) {
        if (codeOf(error) !== 'EHOSTUNREACH')
          throw new FeynkacError(`Expected to reach the worker, got ${codeOf(error) ?? String(error)}`)
      }
      await delay(10, undefined, { signal })
    }
  }

  /** The worker is connected: the socket file has done its work, and no later death can leave it behind. */
  unlink(): void {
    remove(this.folder)
  }

  send(frames: readonly Uint8Array[]): void {
    this.outbox.send(frames)
  }

  async receive(): Promise<readonly Uint8Array[]> {
    for (;;) {
      const [sender, ...frames] = await this.socket.receive()
      // Someone without the token may connect while the socket file exists; what it says does not count.
      if (sender && this.identity.equals(sender)) return frames
    }
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.outbox.close()
    this.socket.close()
    remove(this.folder)
  }
}
