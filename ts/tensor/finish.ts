/** A trace to finished code: drops dead pure nodes and unused captures, and numbers what is left. */
import type { Handle } from '../../bridge/handle'
import type { Level, LevelNode, Tagged } from './level'
import { type Arg, type Node, Value } from './value'

export interface Finished {
  readonly level: Level
  /** What fills the captured inputs, in order: handles for a plan, outer values for a body. */
  readonly captured: readonly (Handle | Value)[]
}

/** `inputs` are the explicit ones. Effects and random draws always stay; their order is that of the trace. */
export function finish(
  inputs: readonly Value[],
  captures: readonly Value[],
  nodes: readonly Node[],
  outputs: readonly Value[],
): Finished {
  const used = new Set<Value>(outputs)
  const kept: Node[] = []
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i] as Node
    if (node.op.kind === 'pure' && !used.has(node.value)) continue
    kept.push(node)
    for (const arg of node.args) mark(arg, used)
  }
  kept.reverse()
  const captured = captures.filter((value) => used.has(value))
  let next = 0
  for (const value of [...inputs, ...captured]) value.id = next++
  for (const node of kept) node.value.id = next++
  const level = {
    inputs: [...inputs, ...captured].map((value) => value.kind),
    captured: captured.length,
    nodes: kept.map((node): LevelNode => ({ op: node.op.index, args: node.args.map(tagged), loc: node.loc })),
    outputs: outputs.map((value) => value.id),
  }
  return { level, captured: captured.map((value) => value.source as Handle | Value) }
}

function mark(arg: Arg, used: Set<Value>): void {
  if (arg instanceof Value) used.add(arg)
  else if ('list' in arg) for (const item of arg.list) mark(item, used)
}

function tagged(arg: Arg): Tagged {
  if (arg instanceof Value) return ['v', arg.id]
  if ('list' in arg) return ['l', arg.list.map(tagged)]
  if ('body' in arg) return ['p', arg.body]
  return arg
}
