/** The two connections to a worker that listens: commands and control, both under CURVE where there are keys. */
import type { Dealer } from 'zeromq'
import { loadZmq } from '../library'
import { Outbox } from '../outbox'
import type { Transport } from '../transport'
import type { Address } from './address'
import type { ClientKeys } from './keys'

/** Unsent words such as `kill` get this long once the socket is closed. */
const LINGER_MS = 200

const curve = (keys: ClientKeys | undefined): Record<string, string> =>
  keys ? { curveServerKey: keys.serverKey, curvePublicKey: keys.publicKey, curveSecretKey: keys.secretKey } : {}

/** Only connections that stand count (`immediate`), so that `writable` tells whether there is one. */
export function controlSocket(address: Address, keys: ClientKeys | undefined): Dealer {
  const zmq = loadZmq()
  const socket = new zmq.Dealer({
    immediate: true,
    linger: LINGER_MS,
    receiveTimeout: 0,
    reconnectInterval: 250,
    ipv6: address.ipv6,
    ...curve(keys),
  })
  socket.connect(address.control)
  return socket
}

export class TcpTransport implements Transport {
  /** Messages taken from the socket. */
  received = 0
  private readonly socket: Dealer
  private readonly outbox: Outbox

  constructor(address: Address, keys: ClientKeys | undefined, token: string, messageBytes: number) {
    const zmq = loadZmq()
    this.socket = new zmq.Dealer({
      routingId: token,
      immediate: true,
      linger: 0,
      // What was on the way when a connection broke is lost, and a new one would hide it.
      reconnectInterval: -1,
      sendHighWaterMark: 0,
      receiveHighWaterMark: 0,
      maxMessageSize: messageBytes,
      ipv6: address.ipv6,
      ...curve(keys),
    })
    this.outbox = new Outbox((frames) => this.socket.send([...frames]))
    this.socket.connect(address.commands)
  }

  /**
   * Resolves once there is a connection. Nothing may receive before: a look at the socket takes the news of the connection away from
   * the send that waits for it.
   */
  async sendFirst(frames: readonly Uint8Array[]): Promise<void> {
    await this.socket.send([...frames])
  }

  send(frames: readonly Uint8Array[]): void {
    this.outbox.send(frames)
  }

  async receive(): Promise<readonly Uint8Array[]> {
    for (;;) {
      const frames = await this.socket.receive()
      // An empty message only shows that the connection stands.
      if (frames.length === 1 && frames[0]?.byteLength === 0) continue
      this.received++
      return frames
    }
  }

  close(): void {
    this.outbox.close()
    this.socket.close()
  }
}
