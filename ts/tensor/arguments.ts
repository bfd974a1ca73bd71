/** What the arguments of ops may be, and their checked form in a plan. */
import { floatLiteral, intLiteral } from '../../bridge/codec'
import { PlanError } from '../../bridge/errors'
import { DeviceTensor } from './device_tensor'
import { HandleOwner } from './handle_owner'
import type { Literal } from './level'
import type { Op, OpArg } from './op_table'
import { show } from './options'
import { Symbolic, valueOf } from './symbolic'
import type { Tensor } from './tensor'
import type { Trace } from './trace'
import type { Arg, Value } from './value'

/** A symbolic tensor, or a tensor of the worker that the plan captures. */
export type TensorArg = Tensor | DeviceTensor

/** A literal that is baked into the plan, or a tensor. */
export type NumberArg = number | TensorArg

/** Sizes or dimensions. */
export type IntsArg = number | readonly number[]

export const DTYPES = [
  'float32',
  'float64',
  'bfloat16',
  'float16',
  'int64',
  'int32',
  'int16',
  'int8',
  'uint8',
  'bool',
] as const

export type Dtype = (typeof DTYPES)[number]

const NONE: Literal = ['n']

/** How a value is shown in a message. */
export function shown(value: unknown): string {
  if (value instanceof Symbolic) return valueOf(value).describe()
  if (value instanceof HandleOwner) return `a handle (${value.handle.kind})`
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object' && value !== null)
    return `an object (${value.constructor?.name ?? 'without prototype'})`
  return show(value)
}

const WORDS: Record<string, string> = {
  tensor: 'a tensor',
  tensors: 'an array of tensors',
  number: 'a number',
  int: 'an integer',
  float: 'a number',
  bool: 'a boolean',
  ints: 'an integer or an array of integers',
  dtype: `one of ${DTYPES.join(', ')}`,
  string: 'a string',
  strings: 'an array of strings',
  generator: 'a generator of the session',
  module: 'a model of the session',
  optimizer: 'an optimizer of the session',
  none: 'null',
}

function refuse(trace: Trace, op: Op, arg: OpArg, x: unknown): never {
  // A number may be a 0-d tensor, also where the row does not say so.
  const kinds = new Set(arg.kinds.has('number') ? ['tensor', ...arg.kinds] : arg.kinds)
  const expected =
    arg.choices.length > 0
      ? `one of ${arg.choices.join(', ')}`
      : [...kinds].map((kind) => WORDS[kind] ?? kind).join(' or ')
  throw new PlanError(
    `Expected \`${arg.option}\` of ${op.name} to be ${expected}, got ${shown(x)}`,
    trace.here(op.name),
  )
}

/** An argument in the row's terms. Refuses what the row does not name. */
export function checkArg(trace: Trace, op: Op, arg: OpArg, x: unknown): Arg {
  const { kinds } = arg
  if (x === undefined || x === null)
    return arg.optional || (x === null && kinds.has('none')) ? NONE : refuse(trace, op, arg, x)
  if (typeof x === 'object') {
    if (Array.isArray(x)) return checkList(trace, op, arg, x)
    const value = valueIn(trace, op, x)
    const fits =
      value !== null &&
      (value.kind === 'tensor' || value.kind === 'scalar'
        ? kinds.has('tensor') || kinds.has('number')
        : kinds.has(value.kind))
    return fits ? value : refuse(trace, op, arg, x)
  }
  return checkLiteral(arg, x) ?? refuse(trace, op, arg, x)
}

/** The value of a symbolic tensor, or of a handle, which is captured; null for anything else. */
export function valueIn(trace: Trace, op: Op, x: unknown): Value | null {
  if (x instanceof Symbolic) return trace.resolve(valueOf(x), op.name)
  return x instanceof HandleOwner ? trace.capture(x.handle) : null
}

function checkList(trace: Trace, op: Op, arg: OpArg, items: readonly unknown[]): Arg {
  const tag = arg.kinds.has('tensors')
    ? 'v'
    : arg.kinds.has('ints')
      ? 'i'
      : arg.kinds.has('strings')
        ? 's'
        : refuse(trace, op, arg, items)
  const list = items.map((item, i): Arg => {
    const one = {
      ...arg,
      option: `${arg.option}[${i}]`,
      kinds: new Set([{ v: 'tensor', i: 'int', s: 'string' }[tag]]),
      optional: false,
    }
    return checkArg(trace, op, one, item)
  })
  return { list }
}

function checkLiteral({ kinds, choices }: OpArg, x: unknown): Arg | null {
  switch (typeof x) {
    case 'number':
      if (kinds.has('number')) return Number.isSafeInteger(x) && !Object.is(x, -0) ? intLiteral(x) : floatLiteral(x)
      if (kinds.has('float')) return floatLiteral(x)
      if (!Number.isSafeInteger(x)) return null
      return kinds.has('int') ? intLiteral(x) : kinds.has('ints') ? { list: [intLiteral(x)] } : null
    case 'boolean':
      return kinds.has('bool') ? ['b', x] : null
    case 'string':
      if (choices.length > 0) return choices.includes(x) ? ['s', x] : null
      if (kinds.has('dtype')) return DTYPES.some((known) => known === x) ? ['d', x] : null
      return kinds.has('string') ? ['s', x] : null
    default:
      return null
  }
}
