/** A tensor that lives in the worker. */
import { HandleOwner } from './handle_owner'

/** The numbers of a tensor in row-major order. bfloat16 and float16 are read as Float32Array, bool as Uint8Array. */
export type TensorArray = Float32Array | Float64Array | BigInt64Array | Int32Array | Int16Array | Int8Array | Uint8Array

/** A tensor that was read. */
export interface HostTensor {
  /** As the worker names it: `float32`, `int64`. */
  readonly dtype: string
  readonly shape: readonly number[]
  /** Row-major. */
  readonly data: TensorArray
}

const ARRAYS: Record<string, new (buffer: ArrayBufferLike, offset: number, length: number) => TensorArray> = {
  float32: Float32Array,
  float64: Float64Array,
  bfloat16: Float32Array,
  float16: Float32Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
}

/** Reading it is a synchronisation point: it waits for everything issued before. */
export class DeviceTensor extends HandleOwner {
  /** The number in a tensor of one element. An int64 beyond 2^53 is an error. */
  async item(options: { signal?: AbortSignal } = {}): Promise<number> {
    const [value] = await this.connection.items([this.handle], { ...options, site: this.item })
    return value as number
  }

  /** All numbers, with dtype and shape. */
  async read(options: { signal?: AbortSignal } = {}): Promise<HostTensor> {
    const [tensor] = await this.connection.get([this.handle], { ...options, site: this.read })
    const { dtype, shape, bytes } = tensor as NonNullable<typeof tensor>
    const length = shape.reduce((product, size) => product * size, 1)
    const TypedArray = ARRAYS[dtype]
    if (TypedArray === undefined)
      throw new TypeError(`Expected a dtype of ${Object.keys(ARRAYS).join(', ')}, got \`${dtype}\``)
    return { dtype, shape, data: new TypedArray(bytes.buffer, bytes.byteOffset, length) }
  }
}
