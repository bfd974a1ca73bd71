/** Stand-ins for tensors and generators of a worker: enough to trace and print a plan without Python. */
import { Handle } from '../../bridge/handle'
import { DeviceTensor } from './device_tensor'
import { Generator } from './generator'

const nowhere = { release: (handle: Handle) => handle.retire(undefined) }
let made = 0

/** For `plan.print(...)` in tests; running a plan with it is refused. */
export function placeholder(kind?: 'tensor'): DeviceTensor
export function placeholder(kind: 'generator'): Generator
export function placeholder(kind: 'tensor' | 'generator' = 'tensor'): DeviceTensor | Generator {
  const handle = new Handle(++made, kind, nowhere)
  return kind === 'tensor' ? new DeviceTensor(handle) : new Generator(handle)
}
