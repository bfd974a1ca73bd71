/** The names and shapes of PROTOCOL.md on the TypeScript side. */
import type { Handle } from './handle'

/** Kinds of command, client to worker. */
export const Command = {
  Hello: 0,
  Def: 1,
  Bind: 2,
  Run: 3,
  Put: 4,
  Get: 5,
  Free: 6,
  Call: 7,
  Barrier: 8,
  Bye: 9,
} as const

/** Kinds of answer, worker to client. */
export const Answer = {
  Ok: 0,
  Err: 1,
  Ack: 2,
} as const

/** RUN flag: op by op, every value described in the log and checked. */
export const DEBUG_RUN = 1

export type HandleKind = 'tensor' | 'module' | 'optimizer' | 'generator'

/** A runtime scalar: a 0-d int64, float64 or bool tensor. */
export type WireScalar =
  readonly ['i', number | bigint | string] | readonly ['f', number | string] | readonly ['b', boolean]

/** One argument of RUN: a handle, a list of tensors, or a scalar. */
export type WireArg = Handle | readonly Handle[] | WireScalar

/** What WELCOME says about the worker. */
export interface Welcome {
  readonly protocol: readonly [number, number]
  readonly opTableHash: string
  readonly torch: string
  readonly python: string
  readonly numpy: string
  readonly zmq: string
  readonly device: string
  readonly deviceName: string
  readonly cuda: string | null
  readonly threads: number
  readonly pid: number
}

/** A tensor that was read back: little-endian, C-contiguous bytes, aligned to 8. */
export interface TensorData {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** `error` of an ERR answer. */
export interface WireError {
  readonly class: string
  readonly message: string
  readonly rootSeq: number
  readonly plan: string | null
  readonly op: string | null
  readonly node: number | null
  readonly loc: string | null
  readonly inputs: readonly string[]
  readonly traceback: string
}

/** Line 1 of the worker's standard input. */
export interface WorkerConfig {
  readonly endpoint: string
  readonly token: string
  readonly threads: number
  readonly device: string
  readonly limits: {
    readonly messageBytes: number
    readonly planNodes: number
    readonly handles: number
    readonly tensorBytes: number
  }
  /** Python code of the user may be imported. */
  readonly allowImports: boolean
  readonly faults: boolean
}
