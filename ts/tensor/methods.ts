/** Generated from bridge/ops.json by `node setup/methods.js`; do not edit. */
import type { Dtype, IntsArg, NumberArg, TensorArg } from './arguments'
import type { Generator } from './generator'
import { Symbolic } from './symbolic'
import type { Tensor } from './tensor'

/** Options of `sum`. */
export interface SumOptions {
  readonly dim?: IntsArg
  readonly keepdim?: boolean
}

/** Options of `mean`. */
export interface MeanOptions {
  readonly dim?: IntsArg
  readonly keepdim?: boolean
}

/** Options of `amax`. */
export interface AmaxOptions {
  readonly dim?: IntsArg
  readonly keepdim?: boolean
}

/** Options of `amin`. */
export interface AminOptions {
  readonly dim?: IntsArg
  readonly keepdim?: boolean
}

/** Options of `std`. */
export interface StdOptions {
  readonly dim?: IntsArg
  readonly correction?: number
  readonly keepdim?: boolean
}

/** Options of `norm`. */
export interface NormOptions {
  readonly p?: NumberArg
  readonly dim?: IntsArg
  readonly keepdim?: boolean
}

/** Options of `any`. */
export interface AnyOptions {
  readonly dim?: number
  readonly keepdim?: boolean
}

/** Options of `all`. */
export interface AllOptions {
  readonly dim?: number
  readonly keepdim?: boolean
}

/** Options of `countNonzero`. */
export interface CountNonzeroOptions {
  readonly dim?: IntsArg
}

/** Options of `argmax`. */
export interface ArgmaxOptions {
  readonly dim?: number
  readonly keepdim?: boolean
}

/** Options of `argmin`. */
export interface ArgminOptions {
  readonly dim?: number
  readonly keepdim?: boolean
}

/** Options of `sort`. */
export interface SortOptions {
  readonly dim?: number
  readonly descending?: boolean
}

/** Options of `topk`. */
export interface TopkOptions {
  readonly dim?: number
  readonly largest?: boolean
}

/** Options of `kthvalue`. */
export interface KthvalueOptions {
  readonly dim?: number
  readonly keepdim?: boolean
}

/** Options of `pad`. */
export interface PadOptions {
  readonly mode?: 'constant' | 'reflect' | 'replicate'
  readonly value?: NumberArg
}

/** Options of `flatten`. */
export interface FlattenOptions {
  readonly startDim?: number
  readonly endDim?: number
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions {
  readonly reduction?: 'mean' | 'sum' | 'none'
  readonly labelSmoothing?: NumberArg
}

/** Options of `klDiv`. */
export interface KlDivOptions {
  readonly reduction?: 'batchmean' | 'mean' | 'sum' | 'none'
  readonly logTarget?: boolean
}

/** The methods of a symbolic tensor. Each adds one node to the plan that is being traced. */
export abstract class TensorMethods extends Symbolic {
  protected abstract emit(op: number, args: readonly unknown[], options?: object): Tensor
  protected abstract emitList(op: number, args: readonly unknown[], options?: object): Tensor[]

  /** Element-wise sum. */
  add(other: NumberArg): Tensor {
    return this.emit(0, [this, other])
  }

  /** Element-wise difference self - other. */
  sub(other: NumberArg): Tensor {
    return this.emit(1, [this, other])
  }

  /** Element-wise product. */
  mul(other: NumberArg): Tensor {
    return this.emit(2, [this, other])
  }

  /** Element-wise quotient (true division). */
  div(other: NumberArg): Tensor {
    return this.emit(3, [this, other])
  }

  /** Element-wise quotient rounded towards minus infinity. */
  floorDivide(other: NumberArg): Tensor {
    return this.emit(4, [this, other])
  }

  /** Element-wise modulus, with the sign of the divisor. */
  remainder(other: NumberArg): Tensor {
    return this.emit(5, [this, other])
  }

  /** Element-wise power. */
  pow(exponent: NumberArg): Tensor {
    return this.emit(6, [this, exponent])
  }

  /** Element-wise negation. */
  neg(): Tensor {
    return this.emit(7, [this])
  }

  /** Element-wise absolute value. */
  abs(): Tensor {
    return this.emit(8, [this])
  }

  /** Element-wise sign; sign(0) = 0. */
  sign(): Tensor {
    return this.emit(9, [this])
  }

  /** Element-wise square. */
  square(): Tensor {
    return this.emit(10, [this])
  }

  /** Element-wise square root. */
  sqrt(): Tensor {
    return this.emit(11, [this])
  }

  /** Element-wise reciprocal square root. */
  rsqrt(): Tensor {
    return this.emit(12, [this])
  }

  /** Element-wise 1 / self. */
  reciprocal(): Tensor {
    return this.emit(13, [this])
  }

  /** Element-wise exponential. */
  exp(): Tensor {
    return this.emit(14, [this])
  }

  /** Element-wise natural logarithm. */
  log(): Tensor {
    return this.emit(15, [this])
  }

  /** Element-wise log(1 + self). */
  log1p(): Tensor {
    return this.emit(16, [this])
  }

  /** Element-wise sine of radians. */
  sin(): Tensor {
    return this.emit(17, [this])
  }

  /** Element-wise cosine of radians. */
  cos(): Tensor {
    return this.emit(18, [this])
  }

  /** Element-wise inverse cosine, in radians. */
  acos(): Tensor {
    return this.emit(19, [this])
  }

  /** Element-wise hyperbolic tangent. */
  tanh(): Tensor {
    return this.emit(20, [this])
  }

  /** Element-wise inverse hyperbolic tangent. */
  atanh(): Tensor {
    return this.emit(21, [this])
  }

  /** Element-wise logistic function. */
  sigmoid(): Tensor {
    return this.emit(22, [this])
  }

  /** Element-wise max(self, 0). */
  relu(): Tensor {
    return this.emit(23, [this])
  }

  /** Element-wise largest integer not above. */
  floor(): Tensor {
    return this.emit(24, [this])
  }

  /** Element-wise smallest integer not below. */
  ceil(): Tensor {
    return this.emit(25, [this])
  }

  /** Element-wise rounding, halves to even. */
  round(): Tensor {
    return this.emit(26, [this])
  }

  /** Element-wise larger of the two. */
  maximum(other: NumberArg): Tensor {
    return this.emit(27, [this, other])
  }

  /** Element-wise smaller of the two. */
  minimum(other: NumberArg): Tensor {
    return this.emit(28, [this, other])
  }

  /** Element-wise limit to [min, max]; a bound may be a tensor, or null for none. */
  clamp(min: NumberArg | null, max: NumberArg | null): Tensor {
    return this.emit(29, [this, min, max])
  }

  /** self where condition is true, other elsewhere. */
  where(condition: TensorArg, other: NumberArg): Tensor {
    return this.emit(30, [this, condition, other])
  }

  /** Element-wise self == other, as bool. */
  eq(other: NumberArg): Tensor {
    return this.emit(31, [this, other])
  }

  /** Element-wise self != other, as bool. */
  ne(other: NumberArg): Tensor {
    return this.emit(32, [this, other])
  }

  /** Element-wise self < other, as bool. */
  lt(other: NumberArg): Tensor {
    return this.emit(33, [this, other])
  }

  /** Element-wise self <= other, as bool. */
  le(other: NumberArg): Tensor {
    return this.emit(34, [this, other])
  }

  /** Element-wise self > other, as bool. */
  gt(other: NumberArg): Tensor {
    return this.emit(35, [this, other])
  }

  /** Element-wise self >= other, as bool. */
  ge(other: NumberArg): Tensor {
    return this.emit(36, [this, other])
  }

  /** Element-wise truth of both. */
  logicalAnd(other: TensorArg): Tensor {
    return this.emit(37, [this, other])
  }

  /** Element-wise truth of either. */
  logicalOr(other: TensorArg): Tensor {
    return this.emit(38, [this, other])
  }

  /** Element-wise negated truth. */
  logicalNot(): Tensor {
    return this.emit(39, [this])
  }

  /** Element-wise: neither NaN nor infinite. */
  isfinite(): Tensor {
    return this.emit(40, [this])
  }

  /** Sum over the dimensions dim (all of them when absent). */
  sum(options: SumOptions = {}): Tensor {
    return this.emit(41, [this], options)
  }

  /** Mean over the dimensions dim (all of them when absent). */
  mean(options: MeanOptions = {}): Tensor {
    return this.emit(42, [this], options)
  }

  /** Maximum over the dimensions dim (all of them when absent). */
  amax(options: AmaxOptions = {}): Tensor {
    return this.emit(43, [this], options)
  }

  /** Minimum over the dimensions dim (all of them when absent). */
  amin(options: AminOptions = {}): Tensor {
    return this.emit(44, [this], options)
  }

  /** Standard deviation over dim with Bessel's correction (1 when absent). */
  std(options: StdOptions = {}): Tensor {
    return this.emit(45, [this], options)
  }

  /** Vector p-norm over dim (p = 2 and all dimensions when absent). */
  norm(options: NormOptions = {}): Tensor {
    return this.emit(46, [this], options)
  }

  /** Whether any entry is true. */
  any(options: AnyOptions = {}): Tensor {
    return this.emit(47, [this], options)
  }

  /** Whether all entries are true. */
  all(options: AllOptions = {}): Tensor {
    return this.emit(48, [this], options)
  }

  /** Number of entries that are not zero, as int64. */
  countNonzero(options: CountNonzeroOptions = {}): Tensor {
    return this.emit(49, [this], options)
  }

  /** Index of the maximum along dim, as int64. */
  argmax(options: ArgmaxOptions = {}): Tensor {
    return this.emit(50, [this], options)
  }

  /** Index of the minimum along dim, as int64. */
  argmin(options: ArgminOptions = {}): Tensor {
    return this.emit(51, [this], options)
  }

  /** Cumulative sum along dim. */
  cumsum(dim: number): Tensor {
    return this.emit(52, [this, dim])
  }

  /** Stable sort along dim (the last when absent): [values, indices]. */
  sort(options: SortOptions = {}): [values: Tensor, indices: Tensor] {
    return this.emitList(53, [this], options) as [values: Tensor, indices: Tensor]
  }

  /** The k largest (or smallest) entries along dim, sorted: [values, indices]. */
  topk(k: number, options: TopkOptions = {}): [values: Tensor, indices: Tensor] {
    return this.emitList(54, [this, k], options) as [values: Tensor, indices: Tensor]
  }

  /** The k-th smallest entry along dim (k from 1): [values, indices]. */
  kthvalue(k: number, options: KthvalueOptions = {}): [values: Tensor, indices: Tensor] {
    return this.emitList(55, [this, k], options) as [values: Tensor, indices: Tensor]
  }

  /** Matrix product. */
  matmul(other: TensorArg): Tensor {
    return this.emit(56, [this, other])
  }

  /** Entries picked along dim by an int64 index of the output's shape. */
  gather(dim: number, index: TensorArg): Tensor {
    return this.emit(57, [this, dim, index])
  }

  /** Slices picked along dim by a 1-d integer index. */
  indexSelect(dim: number, index: TensorArg): Tensor {
    return this.emit(58, [this, dim, index])
  }

  /** A copy of self with source written at index along dim. */
  scatter(dim: number, index: TensorArg, source: NumberArg): Tensor {
    return this.emit(59, [this, dim, index, source])
  }

  /** The slice start .. start + length along dim; start may be a runtime scalar. */
  narrow(dim: number, start: NumberArg, length: number): Tensor {
    return this.emit(60, [this, dim, start, length])
  }

  /** The slice at index along dim, without that dimension. */
  select(dim: number, index: number): Tensor {
    return this.emit(61, [this, dim, index])
  }

  /** Padding, last dimension first: [left, right, top, bottom, ...]. */
  pad(padding: IntsArg, options: PadOptions = {}): Tensor {
    return this.emit(64, [this, padding], options)
  }

  /** Reversed order along dims. */
  flip(dims: IntsArg): Tensor {
    return this.emit(65, [this, dims])
  }

  /** The same entries in another shape; one size may be -1. */
  reshape(shape: IntsArg): Tensor {
    return this.emit(66, [this, shape])
  }

  /** Dimensions in the order dims. */
  permute(dims: IntsArg): Tensor {
    return this.emit(67, [this, dims])
  }

  /** Two dimensions exchanged. */
  transpose(dim0: number, dim1: number): Tensor {
    return this.emit(68, [this, dim0, dim1])
  }

  /** Dimensions of size 1 repeated to shape (-1 keeps a size). */
  expand(shape: IntsArg): Tensor {
    return this.emit(69, [this, shape])
  }

  /** Dimensions of size 1 repeated to the shape of other. */
  expandAs(other: TensorArg): Tensor {
    return this.emit(70, [this, other])
  }

  /** A new dimension of size 1 at dim. */
  unsqueeze(dim: number): Tensor {
    return this.emit(71, [this, dim])
  }

  /** Without dimension dim, if its size is 1. */
  squeeze(dim: number): Tensor {
    return this.emit(72, [this, dim])
  }

  /** Dimensions start_dim .. end_dim merged into one (0 .. -1 when absent). */
  flatten(options: FlattenOptions = {}): Tensor {
    return this.emit(73, [this], options)
  }

  /** Each slice along dim repeated in place. */
  repeatInterleave(repeats: number, dim: number): Tensor {
    return this.emit(74, [this, repeats, dim])
  }

  /** The size of dimension dim, as a 0-d int64 tensor. */
  size(dim: number): Tensor {
    return this.emit(75, [this, dim])
  }

  /** The same values in another dtype. */
  to(dtype: Dtype): Tensor {
    return this.emit(76, [this, dtype])
  }

  /** A copy in fresh storage. */
  clone(): Tensor {
    return this.emit(77, [this])
  }

  /** The same values, cut from the gradient. */
  detach(): Tensor {
    return this.emit(78, [this])
  }

  /** Logarithm of the softmax along dim. */
  logSoftmax(dim: number): Tensor {
    return this.emit(79, [this, dim])
  }

  /** Softmax along dim. */
  softmax(dim: number): Tensor {
    return this.emit(80, [this, dim])
  }

  /** Cross-entropy of logits [batch, classes] against int64 classes [batch]. */
  crossEntropy(target: TensorArg, options: CrossEntropyOptions = {}): Tensor {
    return this.emit(81, [this, target], options)
  }

  /** KL(target || exp(self)); self holds log-probabilities. Reduction is batchmean when absent. */
  klDiv(target: TensorArg, options: KlDivOptions = {}): Tensor {
    return this.emit(82, [this, target], options)
  }

  /** Classes [batch] as int64 indicators [batch, classes]. */
  oneHot(classes: number): Tensor {
    return this.emit(83, [this, classes])
  }

  /** Zeros of the same shape and dtype. */
  zerosLike(): Tensor {
    return this.emit(84, [this])
  }

  /** Ones of the same shape and dtype. */
  onesLike(): Tensor {
    return this.emit(85, [this])
  }

  /** A constant of the same shape and dtype. */
  fullLike(value: NumberArg): Tensor {
    return this.emit(86, [this, value])
  }

  /** Uniform draws on [0, 1) of the same shape and dtype, in C order whatever the memory format. */
  randLike(generator: Generator): Tensor {
    return this.emit(91, [this, generator])
  }

  /** Standard normal draws of the same shape and dtype, in C order whatever the memory format. */
  randnLike(generator: Generator): Tensor {
    return this.emit(92, [this, generator])
  }

  /** Uniform int64 draws from low .. high - 1 of the same shape. */
  randintLike(low: number, high: number, generator: Generator): Tensor {
    return this.emit(93, [this, low, high, generator])
  }

  /** The same values as a fresh leaf that gradients can be taken with respect to. */
  leaf(): Tensor {
    return this.emit(96, [this])
  }

  /** Fails when an entry is NaN or infinite; passes self through. */
  checkFinite(label: string): Tensor {
    return this.emit(103, [this, label])
  }

  /** Prints label, shape, dtype, minimum, mean and maximum to the log; passes self through. */
  print(label: string): Tensor {
    return this.emit(104, [this, label])
  }

  /** The same entries in the shape of other. */
  reshapeAs(other: TensorArg): Tensor {
    return this.emit(106, [this, other])
  }
}
