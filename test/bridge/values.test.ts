import { ProtocolError } from '../../bridge/errors'
import { readNumbers, readTensors } from '../../bridge/values'

const frames = [new Uint8Array(new ArrayBuffer(16), 3, 8)]

test('numbers and tensors are read, payloads aligned', () => {
  expect(readNumbers({ value: [1, NaN], frames }, 2)).toEqual([1, NaN])
  const [tensor] = readTensors({ value: [['float32', [2], 0]], frames }, 1)
  expect(tensor).toEqual({ dtype: 'float32', shape: [2], bytes: new Uint8Array(8) })
  expect(tensor!.bytes.byteOffset).toBe(0)
})

test.each([null, 5, {}, [], [1, 2], ['1'], [null], [[1]], [2n ** 60n]])('%p is not one number', (value) => {
  expect(() => readNumbers({ value, frames }, 1)).toThrow(ProtocolError)
})

test.each([
  null,
  7,
  [],
  [null],
  [['float32', [2]]],
  [['float32', 2, 0]],
  [[1, [2], 0]],
  [['float32', [-1], 0]],
  [['float32', [0.5], 0]],
  [['float32', [2], 1]],
  [['float32', [2n ** 60n], 0]],
  [
    ['float32', [2], 0],
    ['float32', [2], 0],
  ],
])('%p is not one tensor', (value) => {
  expect(() => readTensors({ value, frames }, 1)).toThrow(ProtocolError)
})
