/**
 * Handles born inside `scope(fn)` are freed at its end unless they are returned or kept. AsyncLocalStorage makes it hold across
 * awaits and parallel branches, which a plain stack would not.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { Handle } from './handle'

export interface Scope {
  /** Lets the handles in `value` (a handle, an object with a `handle`, or arrays and plain objects of them) outlive the scope. */
  keep<T>(value: T): T
}

class Region implements Scope {
  readonly born = new Set<Handle>()

  keep<T>(value: T): T {
    for (const handle of handlesIn(value)) this.born.delete(handle)
    return value
  }
}

function* handlesIn(value: unknown, seen = new Set<unknown>()): Generator<Handle> {
  if (value instanceof Handle) yield value
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) return
  seen.add(value)
  const inner: unknown = (value as { handle?: unknown }).handle
  if (inner instanceof Handle) {
    yield inner
    return
  }
  const plain = Object.getPrototypeOf(value) === null || Object.getPrototypeOf(Object.getPrototypeOf(value)) === null
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) {
    for (const item of value) yield* handlesIn(item, seen)
  } else if (plain) {
    for (const item of Object.values(value)) yield* handlesIn(item, seen)
  }
}

/** The scopes of one connection. */
export class Scopes {
  private storage: AsyncLocalStorage<Region> | undefined

  /** Notes a new handle in the innermost open scope. Costs nothing before the first scope. */
  add(handle: Handle): void {
    this.storage?.getStore()?.born.add(handle)
  }

  /** Runs `fn`; what it returns survives into the enclosing scope. */
  async run<T>(fn: (scope: Scope) => T | Promise<T>, free: (handle: Handle) => void): Promise<T> {
    this.storage ??= new AsyncLocalStorage()
    const outer = this.storage.getStore()
    const region = new Region()
    try {
      const result = await this.storage.run(region, () => fn(region))
      for (const handle of handlesIn(result)) if (region.born.delete(handle)) outer?.born.add(handle)
      return result
    } finally {
      for (const handle of region.born) free(handle)
    }
  }
}
