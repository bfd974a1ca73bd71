/** A plan that the worker knows, tied to the handles that it captured: calling it is one command. */
import type { Connection } from '../../bridge/connection'
import { DEBUG_RUN, type WireArg } from '../../bridge/messages'
import type { Hide } from '../../bridge/site'
import { DeviceTensor } from './device_tensor'
import { encodePlan } from './encode'
import { IntScalar } from './remote'
import type { Traced } from './trace_plan'
import { putTogether, type Shape } from './tree'

type Leaf = 'tensor' | 'number' | 'int' | 'boolean' | 'static'

const leafOf = (arg: unknown): Leaf => {
  if (arg instanceof DeviceTensor) return 'tensor'
  if (arg instanceof IntScalar) return 'int'
  return typeof arg === 'number' ? 'number' : typeof arg === 'boolean' ? 'boolean' : 'static'
}

/** The argument as RUN carries it; null for what the plan captured itself. */
export function wireArg(arg: unknown): WireArg | null {
  if (arg instanceof DeviceTensor) return arg.handle
  if (typeof arg === 'number') return ['f', arg]
  if (arg instanceof IntScalar) return ['i', arg.value]
  return typeof arg === 'boolean' ? ['b', arg] : null
}

export class Bound {
  /** Compared with a second trace; until then a call takes the long way. */
  verified = false
  private readonly id: number
  private readonly count: number
  private readonly result: Shape | null
  private readonly flags: number
  private readonly leaves: readonly Leaf[]
  /** Per argument: the first one that is the same handle. */
  private readonly first: readonly number[]

  /** @param flat the arguments of the call, when all of them are leaves: such calls are matched without a key */
  constructor(
    readonly connection: Connection,
    readonly traced: Traced,
    private readonly flat: readonly unknown[] | null,
    options: { debug: boolean; site: Hide },
  ) {
    const { plan, captured } = traced
    this.id = connection.bind(connection.define(encodePlan(plan), options.site), captured, options.site)
    this.count = plan.outputs.length
    this.result = traced.result
    this.flags = options.debug ? DEBUG_RUN : 0
    this.leaves = (flat ?? []).map(leafOf)
    this.first = (flat ?? []).map((arg) => (flat ?? []).findIndex((other) => same(arg, other)))
    // A tensor of the first call must not live as long as the plan.
    this.flat = flat?.map((arg) => (leafOf(arg) === 'static' ? arg : null)) ?? null
  }

  /** The wire form of the arguments when this plan was traced for their kinds and aliases; null otherwise. */
  match(args: readonly unknown[]): WireArg[] | null {
    const { flat, leaves, first, connection } = this
    if (flat === null || args.length !== leaves.length || !connection.alive) return null
    const wire: WireArg[] = []
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]
      switch (leaves[i]) {
        case 'tensor':
          if (!(arg instanceof DeviceTensor) || arg.handle.connection !== connection) return null
          for (let k = 0; k < i; k++) if (same(arg, args[k]) !== (first[k] === first[i])) return null
          wire.push(arg.handle)
          break
        case 'number':
          if (typeof arg !== 'number') return null
          wire.push(['f', arg])
          break
        case 'int':
          if (!(arg instanceof IntScalar)) return null
          wire.push(['i', arg.value])
          break
        case 'boolean':
          if (typeof arg !== 'boolean') return null
          wire.push(['b', arg])
          break
        default:
          if (arg !== flat[i]) return null
      }
    }
    return wire
  }

  /** Issues the command. Errors name the caller of `site`. */
  run(args: readonly WireArg[], site: Hide): unknown {
    const handles = this.connection.run(this.id, args, this.count, site, this.flags)
    if (this.result === null) return undefined
    if (this.result === 'leaf') return new DeviceTensor(handles[0]!)
    let next = 0
    return putTogether(this.result, () => new DeviceTensor(handles[next++]!))
  }
}

const same = (a: unknown, b: unknown): boolean =>
  a === b || (a instanceof DeviceTensor && b instanceof DeviceTensor && a.handle === b.handle)
