/** Numbers to the bytes of an upload. */
import { toBytes, type HostData } from '../../ts/tensor/host_data'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test.each<[string, HostData, string, number[], string]>([
  ['a number', 1, 'float32', [], '0000803f'],
  ['an array of numbers', [1, -2], 'float32', [2], '0000803f000000c0'],
  ['float64', Float64Array.of(1), 'float64', [1], '000000000000f03f'],
  ['int64', BigInt64Array.of(-1n), 'int64', [1], 'ffffffffffffffff'],
  ['a view into a larger buffer', Uint8Array.of(1, 2, 3, 4).subarray(1, 3), 'uint8', [2], '0203'],
  ['nothing', new Float32Array(0), 'float32', [0], ''],
])('%s', (_name, data, dtype, shape, bytes) => {
  const result = toBytes(data)
  expect({ ...result, bytes: hex(result.bytes) }).toEqual({ dtype, shape, bytes })
})

test('shape and dtype can be given', () => {
  expect(toBytes([1, 0, 1, 1], [2, 2], 'bool')).toMatchObject({ shape: [2, 2], dtype: 'bool' })
  expect(hex(toBytes(7, [], 'int64').bytes)).toBe('0700000000000000')
  expect(toBytes(Uint8Array.of(1), [1], 'bool').dtype).toBe('bool')
})

test.each<[string, () => unknown]>([
  ['Expected `shape` to be sizes with the product 3, got `[2, 2]`', () => toBytes([1, 2, 3], [2, 2])],
  ['Expected `shape` to be sizes with the product 4, got an array of 2', () => toBytes([1, 2, 3, 4], [-2, -2])],
  ['Expected `dtype` to be float32 like the array, got `float64`', () => toBytes(Float32Array.of(1), [1], 'float64')],
  ['Expected `dtype` to be one of float32, float64, int64,', () => toBytes([1], [1], 'bfloat16')],
  [
    'Expected `data[1]` to be an integer in [0, 255] for uint8, got `256` (number)',
    () => toBytes([1, 256], [2], 'uint8'),
  ],
  [
    'Expected `data[0]` to be an integer in [-9007199254740991, 9007199254740991] for int64',
    () => toBytes([0.5], [1], 'int64'),
  ],
  ['Expected `data[0]` to be a number for float32, got `"1"` (string)', () => toBytes(['1' as unknown as number])],
  [
    'Expected `data` to be a number, an array of numbers or a typed array, got an object (Set)',
    () => toBytes(new Set() as unknown as number),
  ],
])('%s', (message, make) => {
  expect(make).toThrow(message)
})
