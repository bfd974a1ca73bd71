/**
 * Which classes of channels stay. A channel is read when a layer that stays has a weight on it; a norm reads the channels whose result is
 * read. What is pinned stays, and whatever it is computed from.
 */
import type { ModelGraph } from '../tensor/graph'
import type { Classes } from './classes'
import type { Layer, Layers } from './layers'
import type { Zeros } from './zeros'

/** A set of classes that only grows. */
export class Needs {
  /** The classes that a layer reads. */
  private readonly read: Uint8Array
  /** The classes that stay. */
  private readonly stays: Uint8Array
  /** By class: the output channels of layers in it. */
  private readonly makers: ReadonlyMap<number, readonly (readonly [Layer, number])[]>
  /** Convolutions and linear layers that nobody reads: they need no input. */
  private readonly unread = new Set<string>()

  constructor(
    { nodes }: ModelGraph,
    { narrow }: Layers,
    readonly classes: Classes,
    private readonly zeros: Zeros,
  ) {
    this.read = new Uint8Array(classes.size)
    this.stays = new Uint8Array(classes.size)
    const makers = new Map<number, [Layer, number][]>()
    for (const layer of narrow.values())
      for (let c = 0; c < classes.channels(layer.node.id); c++) {
        const at = classes.of(layer.node.id, c)
        const list = makers.get(at)
        if (list === undefined) makers.set(at, [[layer, c]])
        else list.push([layer, c])
      }
    this.makers = makers
    for (const { id } of nodes)
      for (let c = 0; c < classes.channels(id); c++) if (classes.pins(classes.of(id, c)).length > 0) this.keep(id, c)
    for (const [id, { kind }] of narrow) if (kind === 'dense' && this.kept(id).length === 0) this.unread.add(id)
  }

  /** Whether nobody reads a convolution or linear layer: its inputs do not matter. */
  isUnread(id: string): boolean {
    return this.unread.has(id)
  }

  /** The channels of a node's output that stay. */
  kept(id: string): number[] {
    return this.channels(id, this.stays)
  }

  /** Whether a layer reads a class. */
  isRead(of: number): boolean {
    return this.read[of] === 1
  }

  /** Whether a class stays. */
  isKept(of: number): boolean {
    return this.stays[of] === 1
  }

  /** The input channels that a layer has a weight on, for the outputs that stay. */
  inputsOf({ kind, node, links }: Layer): number[] {
    const input = node.inputs[0]!
    if (this.unread.has(node.id)) return []
    if (kind === 'diagonal') return this.kept(node.id)
    const outputs = this.kept(node.id)
    return this.kept(input).filter(
      (i) => !this.zeros(input, i) && outputs.some((o) => links.joined[o * links.inputs + i] === 1),
    )
  }

  /** Keeps a channel of a node's output, and what it is computed from. */
  keep(id: string, channel: number): void {
    const waiting = [this.classes.of(id, channel)]
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      if (this.stays[at] === 1) continue
      this.stays[at] = 1
      for (const [layer, output] of this.makers.get(at) ?? [])
        for (const below of this.readBy(layer, output)) {
          this.read[below] = 1
          waiting.push(below)
        }
    }
  }

  private readBy({ kind, node, links }: Layer, output: number): number[] {
    const input = node.inputs[0]!
    if (this.unread.has(node.id)) return []
    if (kind === 'diagonal') return [this.classes.of(input, output)]
    const found: number[] = []
    for (let i = 0; i < links.inputs; i++)
      if (links.joined[output * links.inputs + i] === 1 && !this.zeros(input, i)) found.push(this.classes.of(input, i))
    return found
  }

  private channels(id: string, set: Uint8Array): number[] {
    const found: number[] = []
    for (let c = 0; c < this.classes.channels(id); c++) if (set[this.classes.of(id, c)] === 1) found.push(c)
    return found
  }
}
