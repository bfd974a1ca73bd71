/** Symbolic tensors: what the function of a plan computes with. */
import { emit, takeApart } from './emit'
import { TensorMethods } from './methods'
import { opAt } from './op_table'
import type { Value } from './value'

/**
 * A tensor without a value yet: each method adds one node to the plan that is being traced. It belongs to its trace; using it later
 * throws and names both places. Conversions, `JSON.stringify`, iteration and `await` are refused, since there is nothing to convert.
 */
export class Tensor extends TensorMethods {
  protected override emit(op: number, args: readonly unknown[], options?: object): Tensor {
    return emitTensor(op, args, options)
  }

  protected override emitList(op: number, args: readonly unknown[], options?: object): Tensor[] {
    return wrapAll(takeApart(emit(op, args, options), opAt(op).outputs))
  }
}

/** Adds a node and wraps its value. */
export function emitTensor(op: number, args: readonly unknown[], options?: object): Tensor {
  return new Tensor(emit(op, args, options))
}

export const wrapAll = (values: readonly Value[]): Tensor[] => values.map((value) => new Tensor(value))
