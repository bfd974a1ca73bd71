/** Numbers on this side to the bytes of an upload. What would change them on the way is refused. */
import { FeynkacError } from '../../bridge/errors'
import { type Dtype, shown } from './arguments'

/** What can be uploaded. */
export type HostData =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array
  | readonly number[]
  | number

type Numbers = Exclude<HostData, readonly number[] | number>

const FROM_NUMBERS: Partial<Record<Dtype, (numbers: readonly number[]) => Numbers>> = {
  float32: (numbers) => Float32Array.from(numbers),
  float64: (numbers) => Float64Array.from(numbers),
  int64: (numbers) => BigInt64Array.from(numbers, BigInt),
  int32: (numbers) => Int32Array.from(numbers),
  int16: (numbers) => Int16Array.from(numbers),
  int8: (numbers) => Int8Array.from(numbers),
  uint8: (numbers) => Uint8Array.from(numbers),
  bool: (numbers) => Uint8Array.from(numbers),
}

/** Smallest and largest value of the integer dtypes that numbers can stand for. */
const RANGES: Partial<Record<Dtype, readonly [number, number]>> = {
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int8: [-128, 127],
  uint8: [0, 255],
  bool: [0, 1],
}

export interface HostBytes {
  readonly bytes: Uint8Array
  readonly dtype: Dtype
  readonly shape: readonly number[]
}

/** Throws FeynkacError for a shape that does not fit, another dtype than the array has, or numbers that the dtype cannot hold. */
export function toBytes(data: HostData, shape?: readonly number[], dtype?: Dtype): HostBytes {
  const own = dtypeOf(data)
  const wanted = dtype ?? own ?? 'float32'
  let array: Numbers
  if (own !== null) {
    if (wanted !== own && !(own === 'uint8' && wanted === 'bool')) {
      throw new FeynkacError(
        `Expected \`dtype\` to be ${own} like the array, got \`${wanted}\`; convert inside a plan with .to(dtype)`,
      )
    }
    array = data as Numbers
  } else array = fromNumbers(typeof data === 'number' ? [data] : (data as readonly number[]), wanted)
  const sizes = shape ?? (typeof data === 'number' ? [] : [array.length])
  checkShape(sizes, array.length)
  return { bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength), dtype: wanted, shape: sizes }
}

function dtypeOf(data: HostData): Dtype | null {
  if (data instanceof Float32Array) return 'float32'
  if (data instanceof Float64Array) return 'float64'
  if (data instanceof BigInt64Array) return 'int64'
  if (data instanceof Int32Array) return 'int32'
  if (data instanceof Int16Array) return 'int16'
  if (data instanceof Int8Array) return 'int8'
  if (data instanceof Uint8Array) return 'uint8'
  if (typeof data === 'number' || Array.isArray(data)) return null
  throw new FeynkacError(`Expected \`data\` to be a number, an array of numbers or a typed array, got ${shown(data)}`)
}

function fromNumbers(numbers: readonly number[], dtype: Dtype): Numbers {
  const make = FROM_NUMBERS[dtype]
  if (make === undefined) {
    throw new FeynkacError(
      `Expected \`dtype\` to be one of ${Object.keys(FROM_NUMBERS).join(', ')}, got ${shown(dtype)}`,
    )
  }
  const range = RANGES[dtype]
  numbers.forEach((x, i) => {
    const fits =
      typeof x === 'number' && (range === undefined || (Number.isInteger(x) && x >= range[0] && x <= range[1]))
    if (!fits)
      throw new FeynkacError(
        `Expected \`data[${i}]\` to be ${range ? `an integer in [${range.join(', ')}]` : 'a number'} for ${dtype}, got ${shown(x)}`,
      )
  })
  return make(numbers)
}

function checkShape(shape: readonly number[], length: number): void {
  const valid = Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0)
  if (valid && shape.reduce((product, size) => product * size, 1) === length) return
  throw new FeynkacError(
    `Expected \`shape\` to be sizes with the product ${length}, got ${valid ? `\`[${shape.join(', ')}]\`` : shown(shape)}`,
  )
}
