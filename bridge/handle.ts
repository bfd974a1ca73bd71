/**
 * Names for things that live in the worker. The client chooses them (uint32), so a command can name the results of an earlier one
 * before that has run. An id is used again only after the worker acknowledged a command behind its FREE.
 */
import { FeynkacError, ProtocolError } from './errors'
import type { HandleKind } from './messages'
import { captureSite, formatSite, type Hide, type Site } from './site'

/** What a handle needs from its connection. */
export interface HandleOwner {
  release(handle: Handle, hide: Hide): void
}

/** A tensor, module, optimizer or generator in the worker. Freed by `free()`, `using`, a scope, or at last the garbage collector. */
export class Handle {
  /** Where it was freed; set by its owner. */
  freedAt: Site | undefined = undefined
  private live = true

  constructor(
    readonly id: number,
    readonly kind: HandleKind,
    readonly connection: HandleOwner,
  ) {}

  get freed(): boolean {
    return !this.live
  }

  /** Frees the object in the worker after everything issued so far. Freeing twice does nothing. */
  free(): void {
    if (this.live) this.connection.release(this, this.free)
  }

  [Symbol.dispose](): void {
    if (this.live) this.connection.release(this, this[Symbol.dispose])
  }

  /** Marks the handle as freed; for its owner. */
  retire(site: Site | undefined): void {
    this.live = false
    this.freedAt = site
  }

  /** An owner must not travel by accident: a copy would free what the original still uses. */
  toJSON(): never {
    throw new FeynkacError(`Expected a value to serialise, got a handle (${this.kind} #${this.id}); read it first`)
  }
}

const MAX_ID = 0xffffffff
/** ids of dropped handles carry the generation of the id, so that a late finalizer cannot free the id's next owner. */
const GENERATION = 2 ** 32

/** Gives out ids, remembers which are bound, and collects those to free. */
export class HandleTable {
  private next: number
  private count = 0
  private readonly reusable: number[] = []
  private readonly waiting: { after: number; ids: number[] }[] = []
  private readonly generations = new Map<number, number>()
  private readonly births: Map<number, Site> | undefined
  private readonly dropped: number[] = []
  // Without a token: unregistering costs more than a stale callback, which the generation makes harmless.
  private readonly registry = new FinalizationRegistry<number>((key) => void this.dropped.push(key))

  constructor(
    private readonly owner: HandleOwner,
    options: { debug: boolean; firstId?: number },
  ) {
    this.next = options.firstId ?? 1
    if (options.debug) this.births = new Map()
  }

  /** How many handles are bound in the worker, as far as this side knows. */
  get live(): number {
    return this.count
  }

  allocate(kind: HandleKind, hide: Hide): Handle {
    let id = this.reusable.pop()
    if (id === undefined) {
      if (this.next > MAX_ID) throw new ProtocolError('Expected at most 2^32 - 1 handles at a time')
      id = this.next++
    }
    this.count++
    const handle = new Handle(id, kind, this.owner)
    this.registry.register(handle, id + GENERATION * (this.generations.get(id) ?? 0))
    this.births?.set(id, captureSite(hide))
    return handle
  }

  /** Throws unless the handle is bound and belongs here. */
  check(handle: Handle): number {
    if (!(handle instanceof Handle) || handle.connection !== this.owner) {
      throw new FeynkacError(
        handle instanceof Handle
          ? `Expected a handle of this session, got ${handle.kind} #${handle.id} of another one`
          : `Expected a handle, got \`${String(handle)}\` (${typeof handle})`,
      )
    }
    if (handle.freed) {
      const place = formatSite(handle.freedAt)
      throw new FeynkacError(
        `Expected a live handle, got ${handle.kind} #${handle.id}, freed${place ? ` at ${place}` : ''}`,
      )
    }
    return handle.id
  }

  /** The id of a handle that is being freed; its FREE must be queued at once. */
  retire(handle: Handle, site: Site | undefined): number {
    handle.retire(site)
    this.forget(handle.id)
    return handle.id
  }

  /** The ids of handles that the garbage collector found unreachable; their FREE must be queued at once. */
  takeDropped(): number[] {
    const ids: number[] = []
    for (const key of this.dropped) {
      const id = key % GENERATION
      if ((this.generations.get(id) ?? 0) !== Math.floor(key / GENERATION)) continue
      this.forget(id)
      ids.push(id)
    }
    this.dropped.length = 0
    return ids
  }

  get droppedCount(): number {
    return this.dropped.length
  }

  /** The FREE of these ids stands behind command `after`. */
  quarantine(ids: number[], after: number): void {
    this.waiting.push({ after, ids })
  }

  /** A command behind a FREE was applied, hence the FREE too. */
  acknowledged(seq: number): void {
    let done = 0
    for (const { after, ids } of this.waiting) {
      if (after >= seq) break
      for (const id of ids) this.reusable.push(id)
      done++
    }
    if (done > 0) this.waiting.splice(0, done)
  }

  /** Live handles grouped by the line that made them, most first; null unless debugging. */
  leaks(): string | null {
    if (!this.births || this.births.size === 0) return null
    const lines = new Map<string, number>()
    for (const site of this.births.values()) {
      const place = formatSite(site) ?? 'unknown'
      lines.set(place, (lines.get(place) ?? 0) + 1)
    }
    const rows = [...lines].sort((a, b) => b[1] - a[1]).map(([place, n]) => `  ${String(n).padStart(6)}  ${place}`)
    return [`${this.births.size} handles were never freed:`, ...rows].join('\n')
  }

  private forget(id: number): void {
    this.count--
    this.births?.delete(id)
    this.generations.set(id, ((this.generations.get(id) ?? 0) + 1) % 0x100000)
  }
}
