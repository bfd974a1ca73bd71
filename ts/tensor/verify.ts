/** Compares two traces of one function: what differs between them would be frozen silently in the plan. */
import { PlanError } from '../../bridge/errors'
import { encodeCode } from './encode'
import type { Level, LevelNode, Tagged } from './level'
import { opAt } from './op_table'
import { printArg } from './print'
import type { Traced } from './trace_plan'
import { shapeText } from './tree'

const ADVICE =
  'its code may depend only on its arguments: pass what changes (random numbers, the time, variables that are written later) as an argument'

/** Throws PlanError naming the first node that differs, with both lines. */
export function requireSame(first: Traced, second: Traced): void {
  const { name } = first.plan
  const complain = (what: string, op: string | null = null, loc: string | null = null): never => {
    throw new PlanError(`Expected plan "${name}" to be traced twice in the same way, got ${what}; ${ADVICE}`, {
      plan: name,
      op,
      loc,
    })
  }
  const a = Buffer.from(encodeCode(first.plan))
  if (!a.equals(encodeCode(second.plan))) {
    const found = difference(first.plan, second.plan)
    if (found === null) return complain('other inputs or results')
    const [before, after] = found
    complain(
      `${lineOf(before)} first and ${lineOf(after)} then`,
      opName(after ?? before),
      (after ?? before)?.loc ?? null,
    )
  }
  const changed = first.captured.findIndex((handle, i) => handle !== second.captured[i])
  if (changed >= 0) {
    const { kind, id } = first.captured[changed]!
    const other = second.captured[changed]
    complain(`${kind} #${id} captured first and ${other === undefined ? 'nothing' : `${other.kind} #${other.id}`} then`)
  }
  const [one, two] = [first.result, second.result].map((shape) => (shape === null ? 'nothing' : shapeText(shape)))
  if (one !== two) complain(`a result like ${one} first and one like ${two} then`)
}

type Pair = readonly [LevelNode | undefined, LevelNode | undefined]

function difference(a: Level, b: Level): Pair | null {
  for (let i = 0; i < Math.max(a.nodes.length, b.nodes.length); i++) {
    const [x, y] = [a.nodes[i], b.nodes[i]]
    if (x === undefined || y === undefined || x.op !== y.op) return [x, y]
    const bodies = [bodyOf(x), bodyOf(y)] as const
    const inner = bodies[0] !== undefined && bodies[1] !== undefined ? difference(bodies[0], bodies[1]) : null
    if (inner !== null) return inner
    if (x.args.map((arg) => text(arg)).join() !== y.args.map((arg) => text(arg)).join()) return [x, y]
  }
  return null
}

const bodyOf = (node: LevelNode): Level | undefined => node.args.find((arg) => arg[0] === 'p')?.[1]

const text = (arg: Tagged): string => (arg[0] === 'p' ? '' : `${arg[0]}${printArg(arg, '%')}`)

const opName = (node: LevelNode | undefined): string | null => (node === undefined ? null : opAt(node.op).name)

function lineOf(node: LevelNode | undefined): string {
  if (node === undefined) return 'nothing'
  const args = node.args.filter((arg) => arg[0] !== 'n' && arg[0] !== 'p').map((arg) => printArg(arg, '%'))
  return `${opAt(node.op).name}(${args.join(', ')}) at ${node.loc ?? 'an unknown line'}`
}
