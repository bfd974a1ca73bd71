/** The channels that can only go together, in words: who makes them, who reads them, and what keeps them. */
import type { ModelGraph } from '../tensor/graph'
import type { Removal } from './removal'

/** Channels that the same layers make and read. */
export interface ChannelGroup {
  /** How many channels. */
  readonly channels: number
  /** How many of them stay. */
  readonly kept: number
  /** Of those that stay, how many no layer reads: something else keeps them. */
  readonly idle: number
  /** The layers whose outputs they are: several where an addition or a concatenation couples them. */
  readonly makers: readonly string[]
  /** The layers whose inputs they are. */
  readonly readers: readonly string[]
  /** What keeps them whoever reads them; empty when nothing does. */
  readonly because: readonly string[]
}

interface Members {
  readonly makers: Set<string>
  readonly readers: Set<string>
}

/** The groups in the order of the network. */
export function groupsOf({ nodes }: ModelGraph, { classes, layers, needs }: Omit<Removal, 'widths'>): ChannelGroup[] {
  const members = new Map<number, Members>()
  const at = (of: number): Members => {
    const known = members.get(of) ?? { makers: new Set(), readers: new Set() }
    members.set(of, known)
    return known
  }
  const each = (id: string, visit: (of: number) => void): void => {
    for (let c = 0; c < classes.channels(id); c++) visit(classes.of(id, c))
  }
  for (const { id, inputs, module } of nodes) {
    if (module === null && !layers.fixed.has(id)) each(id, at)
    else {
      each(id, (of) => at(of).makers.add(module ?? id))
      for (const input of inputs) each(input, (of) => at(of).readers.add(module ?? id))
    }
  }
  const groups = new Map<string, { -readonly [K in keyof ChannelGroup]: ChannelGroup[K] }>()
  for (const [of, { makers, readers }] of members) {
    const because = classes.pins(of).map(({ why }) => why)
    const key = JSON.stringify([[...makers], [...readers], because])
    const group = groups.get(key) ?? {
      ...{ channels: 0, kept: 0, idle: 0 },
      ...{ makers: [...makers], readers: [...readers], because },
    }
    group.channels++
    if (needs.isKept(of)) group.kept++
    if (needs.isKept(of) && !needs.isRead(of)) group.idle++
    groups.set(key, group)
  }
  return [...groups.values()]
}
