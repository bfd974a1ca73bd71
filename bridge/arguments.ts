/** The wire form of the arguments of RUN (PROTOCOL.md, "Client to worker"). */
import { floatLiteral, intLiteral } from './codec'
import { ProtocolError } from './errors'
import { Handle, type HandleTable } from './handle'
import type { WireArg } from './messages'

/** Throws for a handle that is freed or foreign, and for anything that is no argument: a raw number could be an id or a scalar. */
export function wireArgument(arg: WireArg, table: HandleTable): unknown {
  if (arg instanceof Handle) return table.check(arg)
  if (!Array.isArray(arg)) {
    throw new ProtocolError(
      `Expected an argument to be a handle, a list of handles or a tagged scalar, got a ${typeof arg}`,
    )
  }
  const [tag, x] = arg as readonly unknown[]
  if (tag === 'f' && typeof x === 'number') return floatLiteral(x)
  if (tag === 'i' && (typeof x === 'number' || typeof x === 'bigint')) return intLiteral(x)
  if (tag === 'b' && typeof x === 'boolean') return arg
  if (typeof x === 'string' && (tag === 'f' || tag === 'i')) return arg
  return ['l', (arg as readonly Handle[]).map((handle) => table.check(handle))]
}
