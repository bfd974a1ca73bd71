/** The values of GET, checked before anyone computes with them: a worker of another build must not end in a TypeError. */
import { inspect } from 'node:util'
import { ProtocolError } from './errors'
import type { TensorData } from './messages'
import type { Reply } from './replies'

const refuse = (expected: string, value: unknown): never => {
  throw new ProtocolError(
    `Expected the worker to answer with ${expected}, got \`${inspect(value, { breakLength: Infinity }).slice(0, 60)}\``,
  )
}

/** One number for each handle. */
export function readNumbers({ value }: Reply, count: number): number[] {
  const fits = Array.isArray(value) && value.length === count && value.every((item) => typeof item === 'number')
  return fits ? value : refuse(`${count} numbers`, value)
}

/** `[dtype, shape, payload index]` for each handle, with its payload. */
export function readTensors({ value, frames }: Reply, count: number): TensorData[] {
  if (!Array.isArray(value) || value.length !== count) return refuse(`${count} tensors`, value)
  return value.map((item: unknown) => {
    const [dtype, shape, index] = Array.isArray(item) ? (item as unknown[]) : []
    const sizes = Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && (size as number) >= 0)
    if (typeof dtype !== 'string' || !sizes || typeof index !== 'number') {
      return refuse('`[dtype, shape, payload index]`', item)
    }
    return { dtype, shape: shape as number[], bytes: aligned(frames[index]) }
  })
}

/** Typed arrays need aligned memory; small frames may lie anywhere in a shared pool. */
function aligned(frame: Uint8Array | undefined): Uint8Array {
  if (!frame) throw new ProtocolError('Expected a payload frame for every tensor that was read')
  return frame.byteOffset % 8 === 0 ? frame : new Uint8Array(frame)
}
