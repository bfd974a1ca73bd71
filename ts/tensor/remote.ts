/** The types of a plan's arguments and results, seen from outside, derived from those of its function. */
import type { DeviceTensor } from './device_tensor'
import type { HandleOwner } from './handle_owner'
import type { Tree } from './kinds'
import type { Tensor } from './tensor'

/** Marks a number as a runtime integer: a 0-d int64 tensor inside the plan. Made by `int`. */
export class IntScalar {
  constructor(readonly value: number | bigint) {}
}

/** What a symbolic tensor stands for in a call. Numbers become 0-d float64, booleans 0-d bool tensors. */
export type Runtime = DeviceTensor | number | IntScalar | boolean

/** Models, generators and optimizers go through a plan as they are: each one traces anew. */
export type PlanArg = Tree | HandleOwner | readonly PlanArg[] | { readonly [key: string]: PlanArg }

/** Device tensors in arrays and plain objects. */
export type RemoteTree = DeviceTensor | readonly RemoteTree[] | { readonly [key: string]: RemoteTree }

/** A result of a plan: a tensor of the worker at every leaf. Trees of unknown structure stay such. */
export type Remote<T> = [Tree] extends [T]
  ? RemoteTree
  : T extends Tensor
    ? DeviceTensor
    : T extends HandleOwner | undefined | void
      ? T
      : { [K in keyof T]: Remote<T[K]> }

type LeafTree<Leaf> = Leaf | readonly LeafTree<Leaf>[] | { readonly [key: string]: LeafTree<Leaf> }

/** `Leaf` for every symbolic tensor of T. */
type Argument<T, Leaf> = [Tree] extends [T]
  ? LeafTree<Leaf>
  : T extends Tensor
    ? Leaf
    : T extends HandleOwner | undefined
      ? T
      : { readonly [K in keyof T]: Argument<T[K], Leaf> }

/** An argument of a plan. */
export type RemoteArg<T> = Argument<T, Runtime>

/** An argument of a plan that is called inside another one. */
export type InlineArg<T> = Argument<T, Tensor | Runtime>

/** A traced function. */
export interface PlanFunction<A extends readonly unknown[], R> {
  /** Runs on the worker, pipelined; returns at once. Traced at the first call with arguments of this structure. */
  (...args: { [K in keyof A]: RemoteArg<A[K]> }): Remote<R>
  /** Inside the function of another plan: its nodes become part of that plan. */
  (...args: { [K in keyof A]: InlineArg<A[K]> }): R
  readonly planName: string
  /** Traces without running: the code as text without source lines, for snapshots. `placeholder()` stands in for tensors. */
  print(...args: { [K in keyof A]: RemoteArg<A[K]> }): string
  /** The code of the last trace, with source lines. */
  toString(): string
}
