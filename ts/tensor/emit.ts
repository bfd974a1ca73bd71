/** From the call of a method to a node of the open trace. */
import { PlanError } from '../../bridge/errors'
import { checkArg, shown } from './arguments'
import { location } from './location'
import { type Op, opAt, opNamed } from './op_table'
import { Symbolic, valueOf } from './symbolic'
import { type Trace, openTrace } from './trace'
import type { Arg, Value } from './value'

/** The open trace; throws PlanError outside of one, naming where a stray tensor came from. */
export function requireTrace(use: string, args: readonly unknown[] = []): Trace {
  const trace = openTrace()
  if (trace !== null) return trace
  const stray = args.find((arg) => arg instanceof Symbolic)
  const got = stray === undefined ? 'no plan being traced' : `${valueOf(stray).describe()}, whose trace has ended`
  throw new PlanError(
    `Expected ${use} to be called inside the function of a plan, got ${got}; it was used at ${location() ?? 'an unknown line'}`,
  )
}

/** Adds a node with the given required arguments, in order, and options by name. */
export function emit(index: number, args: readonly unknown[], options: object = {}): Value {
  const op = opAt(index)
  const trace = requireTrace(op.name, args)
  const given = options as Readonly<Record<string, unknown>>
  checkOptions(trace, op, given)
  let next = 0
  const checked = op.args.map((arg) => checkArg(trace, op, arg, arg.optional ? given[arg.option] : args[next++]))
  if (
    op.args[0]?.name === 'self' &&
    op.args[0].kinds.has('number') &&
    args.slice(0, 2).every((arg) => typeof arg === 'number')
  ) {
    throw new PlanError(
      `Expected ${op.name} to have a tensor among its arguments, got two numbers`,
      trace.here(op.name),
    )
  }
  return trace.add(op, checked, location(), op.outputs > 0 ? 'list' : 'tensor')
}

/** Adds a structural node whose arguments are checked already. */
export function emitNode(trace: Trace, name: string, args: readonly Arg[], kind: 'tensor' | 'list' = 'tensor'): Value {
  return trace.add(opNamed(name), args, location(), kind)
}

/** The `count` tensors of a list value. */
export function takeApart(list: Value, count: number): Value[] {
  const get = opNamed('get')
  return Array.from({ length: count }, (_, i) => list.trace.add(get, [list, ['i', i]], list.node?.loc ?? null))
}

function checkOptions(trace: Trace, op: Op, options: Readonly<Record<string, unknown>>): void {
  if (typeof options !== 'object' || options === null || options instanceof Symbolic || Array.isArray(options)) {
    throw new PlanError(
      `Expected the options of ${op.name} to be an object, got ${shown(options)}`,
      trace.here(op.name),
    )
  }
  for (const name of Object.keys(options)) {
    if (op.args.some((arg) => arg.optional && arg.option === name)) continue
    const known = op.args.filter((arg) => arg.optional).map((arg) => arg.option)
    throw new PlanError(
      `Expected the options of ${op.name} to be among ${known.join(', ') || '(none)'}, got \`${name}\``,
      trace.here(op.name),
    )
  }
}
