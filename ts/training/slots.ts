/** State that outlives a plan: trees of tensors in fixed storage on the worker, written with `assign`. */
import { assign } from '../tensor/functions'
import type { Tree } from '../tensor/kinds'
import { DeviceTensor } from '../tensor/session'
import { Tensor } from '../tensor/tensor'

/** Device tensors in arrays and plain objects. */
export type DeviceTree = DeviceTensor | readonly DeviceTree[] | { readonly [key: string]: DeviceTree }

/** The device tensors of a tree, in the order of its keys. */
export function leavesOf(tree: DeviceTree): DeviceTensor[] {
  return tree instanceof DeviceTensor ? [tree] : Object.values(tree).flatMap(leavesOf)
}

/** The same tree with a copy of every tensor, inside a trace. */
export function cloneAll(tree: Tree): Tree {
  if (tree instanceof Tensor) return tree.clone()
  if (Array.isArray(tree)) return tree.map(cloneAll)
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, cloneAll(value as Tree)]))
}

/** Writes every tensor of `values` into the slot at the same place, inside a trace. */
export function assignAll(slots: DeviceTree, values: Tree): void {
  if (slots instanceof DeviceTensor) {
    assign(slots, values as Tensor)
    return
  }
  for (const [key, slot] of Object.entries(slots)) assignAll(slot, (values as Record<string, Tree>)[key]!)
}
