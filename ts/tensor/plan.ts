/** `plan`: an ordinary function over symbolic tensors, traced once for each structure of its arguments and replayed by the worker. */
import type { Connection } from '../../bridge/connection'
import { PlanError } from '../../bridge/errors'
import { shown } from './arguments'
import { Bound, wireArg } from './bound'
import { HandleOwner } from './handle_owner'
import type { Tree } from './kinds'
import type { Plan } from './level'
import { printPlan } from './print'
import { IntScalar, type PlanArg, type PlanFunction } from './remote'
import type { Session } from './session'
import { type Body, type Traced, inlinePlan, tracePlan } from './trace_plan'
import { openTrace } from './trace'
import { shapeText, takeApart } from './tree'
import { requireSame } from './verify'

export type { PlanFunction } from './remote'
export { IntScalar } from './remote'

/** How a plan is checked and run. */
export interface PlanOptions {
  /** Trace again at the first repeated call and compare; on by default. */
  readonly verify?: boolean
  /** Run op by op: the log describes every value (shape, dtype, minimum, mean, maximum) with the line that made it. */
  readonly debug?: boolean
  /** Where to run; needed only when neither the arguments nor the captured handles tell. */
  readonly session?: Session
}

/** A runtime integer as the argument of a plan, a 0-d int64 tensor inside. */
export function int(n: number | bigint): IntScalar {
  if (typeof n === 'bigint' || Number.isSafeInteger(n)) return new IntScalar(n)
  throw new PlanError(`Expected \`n\` of int to be an integer within 2^53, or a bigint, got ${shown(n)}`)
}

/**
 * Makes a plan of `fn`, a synchronous function. Tensors in arrays and plain objects go in and come out. Numbers in a call are runtime
 * scalars: inside `fn` they are 0-d tensors, never baked; literals inside `fn` are. The first repeated call traces `fn` again and throws
 * PlanError when the code differs.
 */
export function plan<A extends readonly PlanArg[], R extends Tree | void>(
  name: string,
  fn: (...args: A) => R,
  options: PlanOptions = {},
): PlanFunction<A, R> {
  if (typeof name !== 'string' || name === '')
    throw new PlanError(`Expected \`name\` of plan to be a string that is not empty, got ${shown(name)}`)
  if (typeof fn !== 'function') throw new PlanError(`Expected \`fn\` of plan to be a function, got ${shown(fn)}`)
  const cache = new Cache(name, fn, options)
  const call = (...args: unknown[]): unknown => {
    const trace = openTrace()
    if (trace !== null) return inlinePlan(trace, name, fn, args)
    const { last } = cache
    const wire = last !== null && last.verified ? last.match(args) : null
    return wire === null ? cache.call(args, call) : last!.run(wire, call)
  }
  const extras = {
    planName: name,
    print: (...args: unknown[]) => printPlan(cache.trace(args).plan, { locations: false }),
    toString: () => (cache.shown === null ? `plan ${JSON.stringify(name)} (not traced yet)` : printPlan(cache.shown)),
  }
  return Object.assign(call, extras) as unknown as PlanFunction<A, R>
}

interface Signature {
  readonly key: string
  readonly leaves: readonly unknown[]
  readonly flat: boolean
}

/** What one plan function has been traced to. */
class Cache {
  /** The plan of the last call. */
  last: Bound | null = null
  shown: Plan | null = null
  private readonly placed = new WeakMap<Connection, Map<string, Bound>>()
  /** Those whose arguments do not tell the session. */
  private readonly unplaced = new Map<string, Bound>()

  constructor(
    private readonly name: string,
    private readonly fn: Body,
    private readonly options: PlanOptions,
  ) {}

  trace(args: readonly unknown[]): Traced {
    const traced = tracePlan(this.name, this.fn, args)
    this.shown = traced.plan
    return traced
  }

  /** The long way: finds the plan by the signature of the arguments, traces it at the first call, and again at the second. */
  call(args: readonly unknown[], site: (...args: unknown[]) => unknown): unknown {
    if (args.length < this.fn.length) {
      throw new PlanError(`Expected ${this.fn.length} arguments of plan "${this.name}", got ${args.length}`)
    }
    const { key, leaves, flat } = signatureOf(args)
    const connection = connectionOf(leaves) ?? this.options.session?.connection
    const known = this.plansOf(connection).get(key)
    let bound = known?.connection.alive === true ? known : undefined
    if (bound === undefined) {
      const traced = this.trace(args)
      const home = connection ?? (traced.captured[0]?.connection as Connection | undefined)
      if (home === undefined) {
        throw new PlanError(
          `Expected plan "${this.name}" to have a tensor as an argument, to capture one, or the option \`session\`, got none of them`,
        )
      }
      const options = { debug: this.options.debug ?? false, site }
      bound = new Bound(home, traced, flat ? args : null, options)
      bound.verified = this.options.verify === false
      this.plansOf(connection).set(key, bound)
    } else if (!bound.verified) {
      requireSame(bound.traced, this.trace(args))
      bound.verified = true
    }
    this.last = bound
    return bound.run(
      leaves.map(wireArg).filter((arg) => arg !== null),
      site,
    )
  }

  private plansOf(connection: Connection | undefined): Map<string, Bound> {
    if (connection === undefined) return this.unplaced
    const known = this.placed.get(connection) ?? new Map<string, Bound>()
    this.placed.set(connection, known)
    return known
  }
}

const identities = new WeakMap<object, number>()
let named = 0

// Ids of handles are used again, so they do not tell two generators apart.
function identityOf(object: object): number {
  const identity = identities.get(object) ?? ++named
  identities.set(object, identity)
  return identity
}

/** Structure, kinds of scalars, identity of what is captured, and which tensors are the same handle. */
function signatureOf(args: readonly unknown[]): Signature {
  const leaves: unknown[] = []
  const kinds: string[] = []
  const seen = new Map<unknown, number>()
  const shape = takeApart(args, (leaf) => {
    leaves.push(leaf)
    if (!(leaf instanceof HandleOwner)) kinds.push(leaf instanceof IntScalar ? 'i' : typeof leaf)
    else if (leaf.handle.kind !== 'tensor') kinds.push(`s${identityOf(leaf)}`)
    else {
      seen.set(leaf.handle, seen.get(leaf.handle) ?? seen.size)
      kinds.push(`t${seen.get(leaf.handle)}`)
    }
  })
  const flat = Array.isArray(shape) && shape.every((item) => item === 'leaf')
  return { key: `${shapeText(shape)} ${kinds.join(' ')}`, leaves, flat }
}

function connectionOf(leaves: readonly unknown[]): Connection | undefined {
  return leaves.find((leaf): leaf is HandleOwner => leaf instanceof HandleOwner)?.connection
}
