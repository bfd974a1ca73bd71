/**
 * One worker, seen from TypeScript: commands go out in order and pipelined, reads come back as promises. The parts: `queue` (numbers,
 * batches, window), `replies` (promises and root errors), `link` (both, and the end), `handle` (names), `lifecycle` (start and death).
 */
import { wireArgument } from './arguments'
import { validate } from './codec'
import { FeynkacError, type CallSite } from './errors'
import { HandleTable, type Handle } from './handle'
import { openWorker, type Started } from './lifecycle'
import { Link, type Wait } from './link'
import { Pressure, forceCollection } from './memory'
import { Command, DEBUG_RUN, type HandleKind, type TensorData, type Welcome, type WireArg } from './messages'
import { settle, type ConnectionOptions, type Settings } from './options'
import { PythonControl } from './python'
import type { Reply } from './replies'
import { Scopes, type Scope } from './scope'
import { captureSite, type Hide, type Site } from './site'
import { readNumbers, readTensors } from './values'

/** Whose caller an error names: pass the public function, so that the frames below it are hidden. */
interface From {
  readonly site?: Hide
}

/** The answer to `call`: handles at once, the value later. */
export interface Call {
  /** Rejects with ServiceError. While nobody asks for it, a failure is kept for `close()`. */
  readonly value: Promise<unknown>
  readonly handles: Handle[]
}

export class Connection {
  readonly welcome: Welcome
  readonly settings: Settings
  /** Calls into the user's Python, where the worker is embedded. */
  readonly python: PythonControl | undefined
  private readonly link: Link
  private readonly table: HandleTable
  private readonly scopes = new Scopes()
  private readonly pressure = new Pressure()
  private plansMade = 0
  private boundsMade = 0
  private reads = 0

  /** Over a worker that has answered; `open` starts one. */
  constructor(started: Started) {
    this.settings = started.settings
    this.welcome = started.welcome
    const { embedded } = started.worker
    this.python = embedded && new PythonControl(embedded)
    this.table = new HandleTable(this, { debug: this.settings.debug, firstId: started.firstHandle })
    this.link = new Link(started, {
      acknowledged: (seq) => this.table.acknowledged(seq),
      flushed: () => this.freeDropped(),
    })
  }

  /** Starts a worker and shakes hands. Rejects with one clear sentence; nothing is left running then. */
  static async open(options: ConnectionOptions = {}): Promise<Connection> {
    return new Connection(await openWorker(options, settle(options)))
  }

  /** True until the worker is gone or `close()` was called. */
  get alive(): boolean {
    return this.link.up
  }

  /** A new name; the next command binds it. */
  allocate(kind: HandleKind = 'tensor', hide: Hide = this.allocate): Handle {
    this.link.requireUp()
    const handle = this.table.allocate(kind, hide)
    this.scopes.add(handle)
    if (this.pressure.reached(this.table.live)) setImmediate(() => void this.collect()).unref()
    return handle
  }

  /** Uploads little-endian C-contiguous bytes. They are copied unless `transfer` says that nobody writes to them again. */
  put(
    bytes: Uint8Array,
    dtype: string,
    shape: readonly number[],
    options: From & { readonly transfer?: boolean } = {},
  ): Handle {
    this.link.requireUp()
    this.link.queue.requireRoom()
    validate(dtype, 'dtype')
    validate(shape, 'shape')
    if (bytes.byteLength > this.settings.tensorBytes) {
      throw new FeynkacError(`Expected a tensor of at most ${this.settings.tensorBytes} bytes, got ${bytes.byteLength}`)
    }
    const hide = options.site ?? this.put
    const handle = this.allocate('tensor', hide)
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const seq = this.link.queue.next()
    this.link.queue.push(
      [Command.Put, seq, handle.id, 0, dtype, [...shape]],
      seq,
      captureSite(hide, 'put', seq),
      options.transfer ? view : Buffer.from(view),
    )
    return handle
  }

  /** Sends a plan as canonical bytes. */
  define(plan: Uint8Array, hide: Hide = this.define): number {
    this.link.requireUp()
    const id = ++this.plansMade
    const seq = this.link.queue.next()
    this.link.queue.push([Command.Def, seq, id, 0], seq, captureSite(hide, 'plan', seq), plan)
    return id
  }

  /** Ties a plan to the handles that it captured. */
  bind(planId: number, captured: readonly Handle[], hide: Hide = this.bind): number {
    this.link.requireUp()
    const ids = captured.map((handle) => this.table.check(handle))
    const id = ++this.boundsMade
    const seq = this.link.queue.next()
    this.link.queue.push([Command.Bind, seq, id, planId, ids], seq, captureSite(hide, 'bind', seq))
    return id
  }

  /**
   * Runs a bound plan, pipelined: returns at once with the handles of its outputs. Throws BackpressureError far ahead of the worker.
   * @param outputs how many, or handles from `allocate`
   * @param site a function whose caller is the place to name in errors, or a place captured before
   * @param flags `DEBUG_RUN`
   */
  run(
    boundId: number,
    args: readonly WireArg[],
    outputs: number | readonly Handle[],
    site: Hide | Site = this.run,
    flags = 0,
  ): Handle[] {
    this.link.requireUp()
    const { queue } = this.link
    queue.requireRoom()
    const wire = new Array<unknown>(args.length)
    for (let i = 0; i < args.length; i++) wire[i] = wireArgument(args[i] as WireArg, this.table)
    const hide = typeof site === 'function' ? site : this.run
    const count = typeof outputs === 'number' ? outputs : outputs.length
    const handles = new Array<Handle>(count)
    const ids = new Array<number>(count)
    for (let i = 0; i < count; i++) {
      const handle = typeof outputs === 'number' ? this.allocate('tensor', hide) : (outputs[i] as Handle)
      handles[i] = handle
      ids[i] = typeof outputs === 'number' ? handle.id : this.table.check(handle)
    }
    const seq = queue.next()
    const place = typeof site === 'function' ? queue.sites.take(boundId, site, 'run', seq) : site
    queue.push([Command.Run, seq, boundId, wire, ids, flags & DEBUG_RUN], seq, place)
    return handles
  }

  /** Reads tensors. Sends everything issued so far and waits. */
  async get(handles: readonly Handle[], options: Wait & From = {}): Promise<TensorData[]> {
    return readTensors(await this.read('data', handles, options, options.site ?? this.get), handles.length)
  }

  /** Reads one number from each handle (0-d or one element), in one message. */
  async items(handles: readonly Handle[], options: Wait & From = {}): Promise<number[]> {
    return readNumbers(await this.read('items', handles, options, options.site ?? this.items), handles.length)
  }

  /** Calls a service; `outputs`: the kinds of the handles that it makes, or how many tensors. */
  call(
    method: string,
    params: unknown,
    inputs: readonly Handle[] = [],
    outputs: number | readonly HandleKind[] = [],
    options: Wait & From = {},
  ): Call {
    this.link.requireReadable(options)
    validate(params, 'params')
    const hide = options.site ?? this.call
    const ids = inputs.map((handle) => this.table.check(handle))
    const kinds = typeof outputs === 'number' ? new Array<HandleKind>(outputs).fill('tensor') : outputs
    const handles = kinds.map((kind) => this.allocate(kind, hide))
    const seq = this.link.queue.next()
    const call = { what: `call ${method}`, seq, site: captureSite(hide) }
    const item = [Command.Call, seq, method, params, ids, handles.map((handle) => handle.id)]
    const reply = this.link.ask(call, item, options, false)
    reply.catch(() => undefined)
    const { replies } = this.link
    return {
      handles,
      get value() {
        replies.watch(seq)
        return reply.then(
          ({ value }) => value,
          (error: unknown) => {
            replies.markRead(error)
            throw error
          },
        )
      },
    }
  }

  /** Resolves when everything issued so far was applied and the device is idle. */
  async barrier(options: Wait & From = {}): Promise<void> {
    this.link.requireReadable(options)
    const seq = this.link.queue.next()
    await this.link.ask(
      { what: 'barrier', seq, site: captureSite(options.site ?? this.barrier) },
      [Command.Barrier, seq],
      options,
    )
  }

  /** Resolves when another command fits in the window: put it into loops that issue commands. */
  async ready(options: Wait = {}): Promise<void> {
    this.link.requireReadable(options)
    await this.link.ready(options)
  }

  /** Frees a handle after everything issued so far. */
  free(handle: Handle): void {
    this.release(handle, this.free)
  }

  /** Frees a handle; the place is the caller of `hide`. A connection that is down has nothing left to free. */
  release(handle: Handle, hide: Hide): void {
    if (handle.freed) return
    const ids = [this.table.retire(handle, this.link.queue.sites.take(-1, hide, 'free', this.link.queue.issued))]
    if (this.link.reachable) this.queueFree(ids)
  }

  /** Cancels everything issued so far that has not ended. */
  cancel(): void {
    this.link.queue.flush()
    this.link.cancel()
  }

  /** Forces the garbage collector and frees what it finds. */
  async collect(): Promise<void> {
    await forceCollection()
    this.freeDropped()
    this.pressure.settle(this.table.live)
  }

  /** Frees the handles born inside `fn` at its end, except those it returns or keeps. */
  scope<T>(fn: (scope: Scope) => T | Promise<T>): Promise<T> {
    return this.scopes.run(fn, (handle) => this.release(handle, this.scope))
  }

  /** Counters for reports. */
  stats(): {
    commands: number
    acknowledged: number
    messages: number
    reads: number
    wireBytes: number
    handles: number
    plans: number
  } {
    const { issued, acked, messages, wireBytes } = this.link.queue
    return {
      commands: issued,
      acknowledged: acked,
      messages,
      reads: this.reads,
      wireBytes,
      handles: this.table.live,
      plans: this.plansMade,
    }
  }

  /** Finishes what was issued, ends the worker, and throws the first error that no promise has shown. Safe to call again. */
  async close(): Promise<void> {
    await this.link.close()
    const leaks = this.table.leaks()
    if (leaks) this.settings.onLog(leaks)
    const unread = this.link.takeUnread()
    if (unread) throw unread
  }

  private async read(mode: 'data' | 'items', handles: readonly Handle[], options: Wait, hide: Hide): Promise<Reply> {
    this.link.requireReadable(options)
    const ids = handles.map((handle) => this.table.check(handle))
    this.reads++
    const seq = this.link.queue.next()
    const call: CallSite = { what: 'read', seq, site: captureSite(hide) }
    return this.link.ask(call, [Command.Get, seq, mode, ids], options)
  }

  private queueFree(ids: number[]): void {
    if (this.link.queue.free(ids)) this.table.quarantine(ids, this.link.queue.issued)
  }

  private freeDropped(): void {
    if (!this.link.reachable || this.table.droppedCount === 0) return
    const ids = this.table.takeDropped()
    if (ids.length > 0) this.queueFree(ids)
  }
}
