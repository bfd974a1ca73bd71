/**
 * What can go wrong across the wire. Every error is one of ours: errors made by native addons are not instances of Error inside
 * jest's realm. The printed form names the line inside the plan, the line of the call and the line of the read that saw it.
 */
import type { WireError } from './messages'
import { formatSite, userFrames, type Site } from './site'

/** A command and the place it was issued. */
export interface CallSite {
  readonly what: string
  readonly seq: number
  readonly site?: Site
  /** The place is that of an earlier run of the same plan in the same batch. */
  readonly near?: boolean
}

interface Details extends Omit<Partial<WireError>, 'class' | 'message'> {
  issued?: CallSite
  seen?: CallSite
}

// Node prints enumerable fields below the stack, which already says it all.
const hide = (target: object, fields: Readonly<Record<string, unknown>>): void => {
  for (const [key, value] of Object.entries(fields)) Object.defineProperty(target, key, { value, enumerable: false })
}

const row = (text: string, place: string | null): string => (place ? `\n  ${text.padEnd(32)}  ${place}` : `\n  ${text}`)

function render(reason: string, details: Details): string {
  let text = reason
  const where = [details.plan && `in plan "${details.plan}"`, details.op && `op ${details.op}`]
    .filter(Boolean)
    .join(', ')
  if (where) text += row(where, details.loc ?? null)
  const { issued, seen } = details
  if (issued)
    text += row(`${issued.what} #${issued.seq} issued ${issued.near ? 'near' : 'at'}`, formatSite(issued.site))
  if (seen && seen.seq !== issued?.seq) text += row(`first seen by ${seen.what} #${seen.seq} at`, formatSite(seen.site))
  if (details.inputs?.length) text += `\n  inputs  ${details.inputs.join('  ')}`
  return text
}

/** Base of every error that feynkac throws on purpose. `reason` is the bare sentence, `message` the printed form. */
export class FeynkacError extends Error {
  override readonly name: string = 'FeynkacError'
  readonly reason!: string
  readonly details!: Details

  constructor(reason: string, details: Details = {}) {
    super(reason)
    hide(this, { reason, details })
    if (details.issued || details.plan) this.print()
  }

  /** The Python frames, ours left out by the worker; empty for errors made here. */
  get traceback(): string {
    return this.details.traceback ?? ''
  }

  /** Records the first read that ran into this error. */
  seenBy(seen: CallSite): this {
    if (this.details.seen) return this
    this.details.seen = seen
    this.print()
    return this
  }

  protected print(): void {
    this.message = render(this.reason, this.details)
    const site = this.details.issued?.site ?? this.details.seen?.site
    const python = this.traceback ? `\n${this.traceback.trimEnd()}` : ''
    this.stack = [`${this.name}: ${this.message}${python}`, ...(site ? userFrames(site) : [])].join('\n')
  }
}

/** A torch function refused its inputs. */
export class TorchOpError extends FeynkacError {
  override readonly name = 'TorchOpError'
}
/** The device, or a limit set at the start, has no room for the result. */
export class OutOfMemoryError extends FeynkacError {
  override readonly name = 'OutOfMemoryError'
}
/** A plan that cannot be built, or is used against its signature. */
export class PlanError extends FeynkacError {
  override readonly name = 'PlanError'
}
/** Bytes or values that do not follow PROTOCOL.md. */
export class ProtocolError extends FeynkacError {
  override readonly name = 'ProtocolError'
}
/** A service refused a request; the message is one sentence for the end user. */
export class ServiceError extends FeynkacError {
  override readonly name = 'ServiceError'

  // Places in the code are noise to the end user.
  protected override print(): void {}
}
/** Cancelled by an AbortSignal. */
export class CancelledError extends FeynkacError {
  override readonly name = 'CancelledError'
}
/** `checkFinite`, or a debug run, met a NaN or an infinity. */
export class NonFiniteError extends FeynkacError {
  override readonly name = 'NonFiniteError'
}
/** A deadline passed. */
export class TimeoutError extends FeynkacError {
  override readonly name = 'TimeoutError'
}
/** Commands are issued faster than the worker applies them. */
export class BackpressureError extends FeynkacError {
  override readonly name = 'BackpressureError'
}

/** How a worker ended. */
export interface Loss {
  readonly exitCode: number | null
  readonly signal: string | null
  readonly lastStderr: readonly string[]
  readonly ackedSeq: number
  readonly hint: string | null
}

/** The worker process is gone; what was on its way to it may or may not have happened. */
export class WorkerLostError extends FeynkacError implements Loss {
  override readonly name = 'WorkerLostError'
  readonly exitCode!: number | null
  readonly signal!: string | null
  readonly lastStderr!: readonly string[]
  readonly ackedSeq!: number
  readonly hint!: string | null

  constructor(reason: string, { exitCode, signal, lastStderr, ackedSeq, hint }: Loss) {
    const tail = lastStderr.slice(-8).map((line) => `\n  | ${line}`)
    super(reason + (hint ? `; ${hint}` : '') + tail.join(''))
    hide(this, { exitCode, signal, lastStderr, ackedSeq, hint })
  }
}

const REMOTE = {
  TorchOpError,
  OutOfMemoryError,
  PlanError,
  ProtocolError,
  ServiceError,
  CancelledError,
  NonFiniteError,
}

/** The error of an ERR answer, with the place that only this side knows. A ServiceError stays the one sentence that it is. */
export function fromWire(error: WireError, issued?: CallSite): FeynkacError {
  const Class = REMOTE[error.class as keyof typeof REMOTE] ?? FeynkacError
  if (Class === ServiceError) return new ServiceError(error.message, { rootSeq: error.rootSeq, traceback: '' })
  return new Class(error.message, {
    rootSeq: error.rootSeq,
    plan: error.plan,
    op: error.op,
    node: error.node,
    loc: error.loc,
    inputs: error.inputs,
    traceback: error.traceback,
    issued,
  })
}
