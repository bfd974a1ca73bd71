/** Generated from bridge/ops.json by `node setup/methods.js`; do not edit. */
import type { Dtype, IntsArg, NumberArg, TensorArg } from './arguments'
import type { Generator } from './generator'
import { type Tensor, emitTensor } from './tensor'

/** Options of `rand`. */
export interface RandOptions {
  readonly dtype?: Dtype
}

/** Options of `randn`. */
export interface RandnOptions {
  readonly dtype?: Dtype
}

/** Element-wise sum. */
export function add(self: NumberArg, other: NumberArg): Tensor {
  return emitTensor(0, [self, other])
}

/** Element-wise difference self - other. */
export function sub(self: NumberArg, other: NumberArg): Tensor {
  return emitTensor(1, [self, other])
}

/** Element-wise product. */
export function mul(self: NumberArg, other: NumberArg): Tensor {
  return emitTensor(2, [self, other])
}

/** Element-wise quotient (true division). */
export function div(self: NumberArg, other: NumberArg): Tensor {
  return emitTensor(3, [self, other])
}

/** Element-wise power. */
export function pow(self: NumberArg, exponent: NumberArg): Tensor {
  return emitTensor(6, [self, exponent])
}

/** Concatenation along an existing dimension. */
export function cat(tensors: readonly TensorArg[], dim: number): Tensor {
  return emitTensor(62, [tensors, dim])
}

/** Concatenation along a new dimension. */
export function stack(tensors: readonly TensorArg[], dim: number): Tensor {
  return emitTensor(63, [tensors, dim])
}

/** A constant tensor. */
export function full(shape: IntsArg, value: NumberArg, dtype: Dtype): Tensor {
  return emitTensor(87, [shape, value, dtype])
}

/** start, start + step, ... below end. */
export function arange(start: NumberArg, end: NumberArg, step: NumberArg, dtype: Dtype): Tensor {
  return emitTensor(88, [start, end, step, dtype])
}

/** Uniform draws on [0, 1). */
export function rand(shape: IntsArg, generator: Generator, options: RandOptions = {}): Tensor {
  return emitTensor(89, [shape, generator], options)
}

/** Standard normal draws. */
export function randn(shape: IntsArg, generator: Generator, options: RandnOptions = {}): Tensor {
  return emitTensor(90, [shape, generator], options)
}

/** A random permutation of 0 .. n - 1, as int64. */
export function randperm(n: number, generator: Generator): Tensor {
  return emitTensor(94, [n, generator])
}
