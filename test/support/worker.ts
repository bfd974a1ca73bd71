/** One real worker for the tests of a file: started once, one thread, so that numbers are reproducible. */
import { connect, type Session } from '../../ts/tensor/session'
import type { DeviceTensor } from '../../ts/tensor/device_tensor'

/** Connects before the tests of this file and closes after them; call the result inside a test. */
export function useWorker(): () => Session {
  let session: Session | undefined
  beforeAll(async () => {
    session = await connect({ device: 'cpu', threads: 1 })
  })
  afterAll(() => session?.close())
  return () => {
    if (session === undefined) throw new Error('The worker of this test file is not connected yet')
    return session
  }
}

/** The entries of a float32 tensor, in C order. */
export async function numbers(tensor: DeviceTensor): Promise<number[]> {
  return Array.from((await tensor.read()).data, Number)
}
