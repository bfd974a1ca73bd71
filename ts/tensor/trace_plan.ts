/** Traces the function of a plan: arguments become inputs, handles that it uses are captured, its result becomes the outputs. */
import { PlanError } from '../../bridge/errors'
import type { Handle } from '../../bridge/handle'
import { shown } from './arguments'
import { DeviceTensor } from './device_tensor'
import { emit } from './emit'
import { HandleOwner } from './handle_owner'
import type { Plan } from './level'
import { location } from './location'
import { opNamed } from './op_table'
import { IntScalar } from './remote'
import { Symbolic, valueOf } from './symbolic'
import { Tensor } from './tensor'
import { Trace } from './trace'
import { putTogether, takeApart, taker, type Shape } from './tree'
import type { Value } from './value'

/** The function of a plan, types left at the door. */
export type Body = (...args: never[]) => unknown

export interface Traced {
  readonly plan: Plan
  readonly captured: readonly Handle[]
  /** The structure of the result; null for none. */
  readonly result: Shape | null
}

/** Runs `fn` once on symbolic arguments. `args` are those of the call. */
export function tracePlan(name: string, fn: Body, args: readonly unknown[]): Traced {
  const trace = new Trace(name, null, location())
  const outputs: Value[] = []
  const result = trace.run(() => {
    const given: unknown[] = []
    const shape = takeApart(args, (leaf, path) => given.push(symbolic(trace, leaf, path)))
    const value: unknown = fn(...(putTogether(shape, taker(given)) as never[]))
    return outputsOf(trace, value, outputs)
  })
  const { level, captured } = trace.finish(outputs)
  return { plan: { ...level, name }, captured: captured as Handle[], result }
}

function symbolic(trace: Trace, leaf: unknown, path: string): unknown {
  if (leaf instanceof DeviceTensor) return new Tensor(trace.input('tensor', 'argument'))
  if (typeof leaf === 'number' || typeof leaf === 'boolean' || leaf instanceof IntScalar)
    return new Tensor(trace.input('scalar', 'argument'))
  if (leaf instanceof HandleOwner) return leaf
  throw new PlanError(
    `Expected argument ${path} of plan "${trace.name}" to be a tensor of the worker, a number, int(n), a boolean, or a generator, model or optimizer, got ${shown(leaf)}`,
  )
}

function outputsOf(trace: Trace, value: unknown, outputs: Value[]): Shape | null {
  if (value === undefined) return null
  if (value instanceof Promise) {
    value.catch(() => undefined)
    throw new PlanError(
      `Expected the function of plan "${trace.name}" to be synchronous, got a promise; use \`x.print(label)\` to see values`,
      trace.here(),
    )
  }
  return takeApart(value, (leaf, path) => {
    if (leaf instanceof Symbolic) outputs.push(tensor(trace, trace.resolve(valueOf(leaf), 'return'), path))
    else if (leaf instanceof DeviceTensor) outputs.push(trace.capture(leaf.handle))
    else
      throw new PlanError(
        `Expected the result${path} of plan "${trace.name}" to be a symbolic tensor, got ${shown(leaf)}`,
        trace.here(),
      )
  })
}

function tensor(trace: Trace, value: Value, path: string): Value {
  if (value.kind === 'tensor' || value.kind === 'scalar') return value
  throw new PlanError(
    `Expected the result${path} of plan "${trace.name}" to be a tensor, got ${value.describe()}`,
    trace.here(),
  )
}

/** Calls the function of a plan inside the open trace of another: its nodes become part of that one. */
export function inlinePlan(trace: Trace, name: string, fn: Body, args: readonly unknown[]): unknown {
  const given: unknown[] = []
  const shape = takeApart(args, (leaf, path) => given.push(inlined(trace, name, leaf, path)))
  return fn(...(putTogether(shape, taker(given)) as never[]))
}

const FULL = opNamed('full').index

function inlined(trace: Trace, name: string, leaf: unknown, path: string): unknown {
  if (leaf instanceof DeviceTensor) return new Tensor(trace.capture(leaf.handle))
  if (leaf instanceof Symbolic || leaf instanceof HandleOwner) return leaf
  if (typeof leaf === 'number') return new Tensor(emit(FULL, [[], leaf, 'float64']))
  if (typeof leaf === 'boolean') return new Tensor(emit(FULL, [[], Number(leaf), 'bool']))
  if (leaf instanceof IntScalar) return new Tensor(emit(FULL, [[], Number(leaf.value), 'int64']))
  throw new PlanError(
    `Expected argument ${path} of plan "${name}" to be a tensor, a number, int(n) or a boolean, got ${shown(leaf)}`,
    trace.here(),
  )
}
