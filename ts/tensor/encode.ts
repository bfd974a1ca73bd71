/** Plans as bytes (PROTOCOL.md, "Plans"): canonical, so equal plans have equal bytes and a hash names them. */
import { encodeCanonical, hash } from '../../bridge/codec'
import type { Level, Plan, Tagged } from './level'

export const PLAN_VERSION = 1

/** The bytes that DEF carries. Locations that occur more than once are written once. */
export function encodePlan(plan: Plan): Uint8Array {
  const places = new Map<string, number>()
  const place = (loc: string | null): number => {
    if (loc === null) return -1
    const known = places.get(loc) ?? places.size
    places.set(loc, known)
    return known
  }
  const { inputs, outputs } = plan
  const nodes = nodesOf(plan, place)
  return encodeCanonical([PLAN_VERSION, inputs, nodes, outputs, plan.name, [...places.keys()]])
}

/** The part of the bytes that says what the plan does: no name, no locations. */
export function encodeCode(level: Level): Uint8Array {
  return encodeCanonical([PLAN_VERSION, level.inputs, nodesOf(level, null), level.outputs])
}

/** SHA-256 in hex of `encodeCode`. */
export const hashPlan = (level: Level): string => hash(encodeCode(level))

type Place = ((loc: string | null) => number) | null

function nodesOf(level: Level, place: Place): unknown[] {
  return level.nodes.map(({ op, args, loc }) => {
    const at = place?.(loc)
    const wire = args.map((arg) => wireArg(arg, place))
    return at === undefined ? [op, wire] : [op, wire, at]
  })
}

function wireArg(arg: Tagged, place: Place): unknown {
  if (arg[0] === 'l') return ['l', arg[1].map((item) => wireArg(item, place))]
  if (arg[0] === 'p') return ['p', [arg[1].inputs, nodesOf(arg[1], place), arg[1].outputs]]
  return arg
}
