/** State that outlives a plan: trees of tensors in fixed storage on the worker, written with `assign`. */
import type { DeviceTensor } from '../tensor/device_tensor'
import { assign, use } from '../tensor/functions'
import type { Tree } from '../tensor/kinds'
import type { Tensor } from '../tensor/tensor'
import { putTogether, takeApart, taker } from '../tensor/tree'

/** Device tensors in arrays and plain objects. */
export type DeviceTree = DeviceTensor | readonly DeviceTree[] | { readonly [key: string]: DeviceTree }

/** The tensors of a tree, in the order of its keys. */
export function leavesOf(tree: DeviceTree): DeviceTensor[]
export function leavesOf(tree: Tree): Tensor[]
export function leavesOf(tree: unknown): unknown[] {
  const leaves: unknown[] = []
  takeApart(tree, (leaf) => leaves.push(leaf))
  return leaves
}

/** The same tree with a copy of every tensor, inside a trace. */
export function cloneAll(tree: Tree): Tree {
  const copies: Tensor[] = []
  const shape = takeApart(tree, (leaf) => copies.push((leaf as Tensor).clone()))
  return putTogether(shape, taker(copies)) as Tree
}

/** Writes every tensor of `values` into the slot at the same place, inside a trace. */
export function assignAll(slots: DeviceTree, values: Tree): void {
  const tensors = leavesOf(values)
  leavesOf(slots).forEach((slot, i) => assign(slot, tensors[i]!))
}

/** The slots as symbolic tensors of the open plan. */
export const useAll = use as (slots: DeviceTree) => Tree
