/**
 * A user's script, run as a process of its own by processes.test.ts: opens a session, prints the worker's process id, and ends in
 * the way named by its argument.
 */
import { Connection } from '../../bridge/connection'
import type { Handle } from '../../bridge/handle'

/** Tests of other launchers set them. */
const launcher = process.env['TEST_LAUNCHER'] as 'pythonia' | 'attach' | undefined
const [address, keys] = [process.env['TEST_ADDRESS'], process.env['TEST_KEYS']]

async function main(ending: string): Promise<void> {
  const connection = await Connection.open({ threads: 1, device: 'cpu', faults: true, launcher, address, keys })
  process.stdout.write(JSON.stringify({ worker: connection.welcome.pid }) + '\n')
  switch (ending) {
    case 'exit':
      return process.exit(0)
    case 'throw':
      setImmediate(() => {
        throw new Error('mine')
      })
      return
    case 'reject':
      void Promise.reject(new Error('mine'))
      return
    case 'forget': {
      const handle: Handle = connection.put(new Uint8Array(4), 'float32', [])
      await connection.items([handle])
      connection.put(new Uint8Array(4), 'float32', [])
      return
    }
    case 'signal':
      setInterval(() => undefined, 1000)
      return
    case 'signal while the worker is busy':
      await connection.call('fault.hang', { mode: 'gil', seconds: 60 }).value
      return
    default:
      throw new Error(`unknown ending ${ending}`)
  }
}

void main(process.argv[2] ?? '')
