/** The plan that is being traced: values by the order they are made in, handles captured by the way. */
import { PlanError } from '../../bridge/errors'
import type { Handle, HandleOwner } from '../../bridge/handle'
import type { HandleKind } from '../../bridge/messages'
import { formatSite } from '../../bridge/site'
import { finish, type Finished } from './finish'
import { location } from './location'
import type { Op } from './op_table'
import { type Arg, type Node, type Source, Value, type ValueKind } from './value'

let current: Trace | null = null

/** The innermost open trace, null outside of any plan. */
export const openTrace = (): Trace | null => current

/** Opens another trace; gives the one that was open. */
function enter(trace: Trace | null): Trace | null {
  const outer = current
  current = trace
  return outer
}

/** One plan, or one body of a repeat inside of it, from its first node to its last. */
export class Trace {
  readonly inputs: Value[] = []
  readonly nodes: Node[] = []
  private readonly captures = new Map<Handle | Value, Value>()
  private open = true

  /**
   * @param parent the trace around the body of a repeat; null for a plan
   * @param place where the tracing was asked for
   */
  constructor(
    readonly name: string,
    readonly parent: Trace | null,
    readonly place: string | null,
  ) {}

  /** An explicit input: an argument of the plan, a carry, or the index of a body. */
  input(kind: ValueKind, source: Source): Value {
    const value = new Value(this, kind, source)
    this.inputs.push(value)
    return value
  }

  /** The worker that the captured handles live in; undefined while nothing is captured. */
  get owner(): HandleOwner | undefined {
    if (this.parent !== null) return this.parent.owner
    for (const source of this.captures.keys()) if (!(source instanceof Value)) return source.connection
    return undefined
  }

  /** A handle of the worker as a value: the same handle is always the same value. */
  capture(handle: Handle): Value {
    const known = this.captures.get(handle)
    if (known !== undefined) return known
    if (this.parent !== null) return this.import(this.parent.capture(handle), handle)
    const owner = this.owner
    if (owner !== undefined && owner !== handle.connection) {
      throw new PlanError(
        `Expected all handles of plan "${this.name}" to live in one session, got ${handle.kind} #${handle.id} of another`,
        this.here(),
      )
    }
    if (handle.freed) {
      const place = formatSite(handle.freedAt)
      const freed = place === null ? 'which was freed' : `freed at ${place}`
      throw new PlanError(`Expected a live handle, got ${handle.kind} #${handle.id}, ${freed}`, this.here())
    }
    return this.import(new Value(this, inputKind(handle.kind), handle), handle)
  }

  /** The value as this trace sees it; values of traces around it are captured. Throws PlanError for any other. */
  resolve(value: Value, use: string): Value {
    if (value.trace === this) return value
    if (!value.trace.open || !this.isInside(value.trace)) {
      throw new PlanError(
        `Expected values of the plan that is being traced ("${this.name}"), got ${value.describe()}; return it from its plan and pass the result in`,
        this.here(use),
      )
    }
    return this.captures.get(value) ?? this.import((this.parent as Trace).resolve(value, use), value)
  }

  /** Appends a node; gives its value. */
  add(op: Op, args: readonly Arg[], loc: string | null, kind: ValueKind = 'tensor'): Value {
    const value = new Value(this, kind, null)
    const node = { op, args, loc, value }
    value.node = node
    this.nodes.push(node)
    return value
  }

  /** Runs `body` with this trace as the open one. */
  run<T>(body: () => T): T {
    const outer = enter(this)
    try {
      return body()
    } finally {
      enter(outer)
      this.open = false
    }
  }

  /** The finished code: dead pure nodes and captures that nothing uses are dropped, values numbered. */
  finish(outputs: readonly Value[]): Finished {
    return finish(this.inputs, [...new Set(this.captures.values())], this.nodes, outputs)
  }

  /** What an error says about where it happened. */
  here(op?: string): { plan: string; op?: string; loc: string | null } {
    return { plan: this.name, op, loc: location() }
  }

  private isInside(outer: Trace): boolean {
    for (let trace = this.parent; trace !== null; trace = trace.parent) if (trace === outer) return true
    return false
  }

  private import(source: Value, key: Handle | Value): Value {
    // A value of the trace around may arrive under two names: as itself and as its handle.
    const value = source.trace === this ? source : (this.captures.get(source) ?? new Value(this, source.kind, source))
    this.captures.set(source, value)
    this.captures.set(key, value)
    return value
  }
}

const inputKind = (kind: HandleKind): ValueKind => kind
