/** The rows of `bridge/ops.json` in the form that tracing and printing need. Both ends of the wire load the same file. */
import table from '../../bridge/ops.json'

/** One argument of an op. */
export interface OpArg {
  /** As in the table, `label_smoothing`. */
  readonly name: string
  /** As in options objects, `labelSmoothing`. */
  readonly option: string
  /** What it may be: `tensor`, `number`, `int`, … */
  readonly kinds: ReadonlySet<string>
  /** The strings of an enumeration; empty for other kinds. */
  readonly choices: readonly string[]
  readonly optional: boolean
}

/** One row; `index` is its name on the wire. */
export interface Op {
  readonly index: number
  readonly name: string
  readonly args: readonly OpArg[]
  /** How many tensors a list result has; 0 for one tensor, or for a list whose length depends on the arguments. */
  readonly outputs: number
  /** `random` advances a generator, `effect` changes something: neither is ever dropped. */
  readonly kind: 'pure' | 'random' | 'effect'
}

interface Row {
  readonly name: string
  readonly args: readonly string[]
  readonly outputs?: readonly string[]
  readonly kind?: string
}

const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

function parseArg(text: string): OpArg {
  const [name = '', kind = ''] = text.split(':')
  const bare = kind.replace(/\?$/, '')
  const choices = bare.includes('/') ? bare.split('/') : []
  return {
    name,
    option: camel(name),
    kinds: new Set(choices.length > 0 ? [] : bare.split('|')),
    choices,
    optional: kind.endsWith('?'),
  }
}

/** The table, in wire order. */
export const OPS: readonly Op[] = (table as readonly Row[]).map((row, index) => ({
  index,
  name: row.name,
  args: row.args.map(parseArg),
  outputs: row.outputs?.length ?? 0,
  kind: (row.kind ?? 'pure') as Op['kind'],
}))

const BY_NAME = new Map(OPS.map((op) => [op.name, op]))

/** The row at a wire index. */
export function opAt(index: number): Op {
  const op = OPS[index]
  if (op === undefined) throw new RangeError(`Expected an op index below ${OPS.length}, got \`${index}\``)
  return op
}

/** The row of that name. */
export function opNamed(name: string): Op {
  const op = BY_NAME.get(name)
  if (op === undefined) throw new RangeError(`Expected the name of an op in bridge/ops.json, got \`${name}\``)
  return op
}
