/** Values and nodes of a plan while it is traced. */
import type { Handle } from '../../bridge/handle'
import type { Op } from './op_table'
import type { Level, Literal } from './level'
import type { Trace } from './trace'

/** What a value is. The results of list ops are `list`s, taken apart with `get`. */
export type ValueKind = 'tensor' | 'scalar' | 'module' | 'optimizer' | 'generator' | 'list'

/** Where an input comes from: an argument of the plan or of a body, a handle, or a value of the trace around it. */
export type Source = 'argument' | 'carry' | 'index' | Handle | Value

/** An argument of a node. */
export type Arg = Value | Literal | { readonly list: readonly Arg[] } | { readonly body: Level }

export interface Node {
  readonly op: Op
  readonly args: readonly Arg[]
  readonly loc: string | null
  readonly value: Value
}

/** One value: an input of a trace, or what a node makes. */
export class Value {
  /** Its number in the finished plan; -1 before, and for what was dropped as dead. */
  id = -1
  node: Node | null = null

  constructor(
    readonly trace: Trace,
    readonly kind: ValueKind,
    readonly source: Source | null,
  ) {}

  /** `the result of clamp (attack.ts:12:7)`, for messages. */
  describe(): string {
    if (this.node !== null)
      return `the result of ${this.node.op.name} in plan "${this.trace.name}" (${this.node.loc ?? 'unknown line'})`
    const what = this.source === 'carry' || this.source === 'index' ? 'an input of a repeat body' : 'an input'
    return `${what} of plan "${this.trace.name}" (traced at ${this.trace.place ?? 'an unknown line'})`
  }
}
