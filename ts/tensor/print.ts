/** Plans as readable code: one line a node, the body of a repeat indented, the line of the source at the right. */
import type { Level, LevelNode, Plan, Tagged } from './level'
import { opAt } from './op_table'

export interface PrintOptions {
  /** `script.ts:31:41` behind every node; left out in snapshots. */
  readonly locations?: boolean
}

// The code of a repeat with many captures is long; its neighbours keep their locations near.
const MAX_WIDTH = 64

/** For example `  %5 = clamp(%4, -0.1, 0.1)    attack.ts:12:7`. Values in a body are named after the repeat: `%7.0`. */
export function printPlan(plan: Plan, { locations = true }: PrintOptions = {}): string {
  const lines: (readonly [text: string, loc: string | null])[] = []
  const explicit = plan.inputs.length - plan.captured
  const name = (i: number): string => `%${i} ${plan.inputs[i]}`
  const args = Array.from({ length: explicit }, (_, i) => name(i)).join(', ')
  const captured = Array.from({ length: plan.captured }, (_, i) => name(explicit + i)).join(', ')
  lines.push([`plan ${JSON.stringify(plan.name)} (${args})${captured && ` captures (${captured})`} {`, null])
  printLevel(plan, '%', '  ', lines)
  const outputs = plan.outputs.map((id) => `%${id}`).join(', ')
  lines.push([outputs ? `  return ${outputs}` : '  return', null], ['}', null])
  const width = Math.min(MAX_WIDTH, Math.max(...lines.map(([text, loc]) => (loc === null ? 0 : text.length))))
  return lines.map(([text, loc]) => (locations && loc !== null ? `${text.padEnd(width + 4)}${loc}` : text)).join('\n')
}

function printLevel(level: Level, prefix: string, indent: string, lines: (readonly [string, string | null])[]): void {
  level.nodes.forEach((node, position) => {
    const id = level.inputs.length + position
    const op = opAt(node.op)
    const result = RESULTLESS.has(op.name) ? '' : `${prefix}${id} = `
    const body = node.args.find((arg) => arg[0] === 'p')?.[1]
    if (body === undefined) {
      lines.push([`${indent}${result}${op.name}(${printArgs(node, prefix)})`, node.loc])
      return
    }
    const inner = `${prefix}${id}.`
    const [times, , carry, captures] = node.args as [Tagged, Tagged, Tagged, Tagged]
    const carried = (carry[1] as readonly Tagged[]).map((arg, i) => `${inner}${i} = ${printArg(arg, prefix)}`)
    const outside = (captures[1] as readonly Tagged[]).map(
      (arg, i) => `${inner}${carried.length + 1 + i} = ${printArg(arg, prefix)}`,
    )
    const heads = [
      `carry (${carried.join(', ')})`,
      `index ${inner}${carried.length}`,
      ...(outside.length > 0 ? [`captures (${outside.join(', ')})`] : []),
    ]
    lines.push([`${indent}${result}repeat ${printArg(times, prefix)} ${heads.join(' ')} {`, node.loc])
    printLevel(body, inner, `${indent}  `, lines)
    lines.push(
      [`${indent}  next ${body.outputs.map((out) => `${inner}${out}`).join(', ')}`.trimEnd(), null],
      [`${indent}}`, null],
    )
  })
}

// Nodes that give nothing worth naming.
const RESULTLESS = new Set(['assign', 'optimizer_step', 'optimizer_reset'])

/** One argument as text; values get `prefix`. */
export function printArgs(node: LevelNode, prefix: string): string {
  return opAt(node.op)
    .args.flatMap((spec, i) => {
      const arg = node.args[i] as Tagged
      if (!spec.optional) return [printArg(arg, prefix)]
      return arg[0] === 'n' ? [] : [`${spec.name}=${printArg(arg, prefix)}`]
    })
    .join(', ')
}

/** One argument as text; values get `prefix`. */
export function printArg(arg: Tagged, prefix: string): string {
  switch (arg[0]) {
    case 'v':
      return `${prefix}${arg[1]}`
    case 'l':
      return `[${arg[1].map((item) => printArg(item, prefix)).join(', ')}]`
    case 'n':
      return 'none'
    case 's':
      return JSON.stringify(arg[1])
    case 'f':
      return /^-?\d+$/.test(String(arg[1])) ? `${arg[1]}.0` : String(arg[1])
    case 'p':
      return '{ … }'
    case 'i':
    case 'b':
    case 'd':
      return String(arg[1])
  }
}
