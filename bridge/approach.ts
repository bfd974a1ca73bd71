/** A worker on its way: watched from the start, spoken to as soon as it can hear. */
import type { Launcher, LaunchOptions, WorkerProcess } from './launcher'
import { MESSAGE_BYTES } from './options'
import type { Transport } from './transport'
import { ZmqTransport } from './zmq'

export interface Approach {
  readonly worker: WorkerProcess
  /** The sentence for a worker that gave no sign at all within `ms`; undefined once it has. */
  unanswered?(ms: number): string | undefined
  /** Sends the first message, made for the session's token, once the worker can hear it. Rejects when `signal` aborts. */
  greet(hello: (token: string) => readonly Uint8Array[], signal: AbortSignal): Promise<Transport>
  /** Closes what was opened; the worker itself is ended by `kill`. */
  abandon(): void
}

/** Starts a process on this machine, which connects back to a socket in a private folder. */
export async function approachLocal(
  launcher: Launcher,
  options: Omit<LaunchOptions, 'config'> & { readonly config: Omit<LaunchOptions['config'], 'endpoint' | 'token'> },
): Promise<Approach> {
  const transport = await ZmqTransport.bind(MESSAGE_BYTES)
  const { endpoint, token } = transport
  let worker: WorkerProcess
  try {
    worker = launcher.launch({ ...options, config: { endpoint, token, ...options.config } })
  } catch (error) {
    transport.close()
    throw error
  }
  return {
    worker,
    async greet(hello, signal) {
      await transport.sendFirst(hello(token), signal)
      transport.unlink()
      return transport
    },
    abandon: () => transport.close(),
  }
}
