/** What `DeviceTensor`, `Model`, `Optimizer` and `Generator` share: one handle of the worker. */
import type { Connection } from '../../bridge/connection'
import type { Handle } from '../../bridge/handle'

/** Owns a handle. It is freed by `free()`, by `using`, at the end of a scope, or by the garbage collector. */
export abstract class HandleOwner {
  constructor(
    /** The name of the object in the worker. */
    readonly handle: Handle,
  ) {}

  /** The worker that it lives in. */
  get connection(): Connection {
    return this.handle.connection as Connection
  }

  /** Frees the object in the worker after everything issued so far. Freeing twice does nothing. */
  free(): void {
    this.handle.free()
  }

  [Symbol.dispose](): void {
    this.handle.free()
  }

  /** Handles are never serialised: a copy would free what the original still uses. */
  toJSON(): never {
    return this.handle.toJSON()
  }
}
