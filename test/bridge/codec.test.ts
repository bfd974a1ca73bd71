import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import {
  decode,
  decodeHeader,
  encodeCanonical,
  encodeHeader,
  floatLiteral,
  hash,
  intLiteral,
  validate,
} from '../../bridge/codec'
import { ProtocolError } from '../../bridge/errors'

interface Golden {
  readonly name: string
  readonly direction: string
  readonly header: [number, unknown[][]]
  readonly hex: string
}

const golden = (file: string): Golden[] =>
  JSON.parse(readFileSync(join(__dirname, '../../bridge/golden', file), 'utf8')) as Golden[]

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('golden frames', () => {
  const frames = ['commands.json', 'answers.json'].flatMap(golden)

  test.each(frames.map((frame) => [frame.name, frame] as const))(
    '%s decodes and encodes to the same bytes',
    (_, frame) => {
      const items = decodeHeader(Buffer.from(frame.hex, 'hex'))
      expect(items).toEqual(frame.header[1])
      expect(hex(encodeHeader(items))).toBe(frame.hex)
    },
  )

  test.each(golden('plans/plans.json').map((plan) => [plan.name, plan] as const))(
    'plan with %s has one byte form',
    (_, plan) => {
      expect(hex(encodeCanonical(plan.header))).toBe(plan.hex)
      expect(decode(Buffer.from(plan.hex, 'hex'))).toEqual(plan.header)
      expect(hash(plan.header)).toBe(hash(Buffer.from(plan.hex, 'hex')))
    },
  )

  test('every kind of message has a frame', () => {
    const kinds = (file: string): unknown[] =>
      [...new Set(golden(file).flatMap((frame) => frame.header[1].map((item) => item[0])))].sort()
    expect(kinds('commands.json')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(kinds('answers.json')).toEqual([0, 1, 2])
  })
})

describe('literals', () => {
  test.each([
    1,
    0,
    -1,
    0.1,
    1e-8,
    1e300,
    2 ** 40,
    -(2 ** 60),
    Number.MAX_VALUE,
    Number.MIN_VALUE,
    Infinity,
    -Infinity,
    NaN,
  ])('the float %p survives', (x) => {
    const back = decode(encodeCanonical(floatLiteral(x))) as [string, number]
    expect(Object.is(Number(back[1]), x)).toBe(true)
  })

  test('minus zero travels as text', () => {
    expect(floatLiteral(-0)).toEqual(['f', '-0'])
    expect(floatLiteral(0)).toEqual(['f', 0])
  })

  test('the byte form of 0.1 is the double', () =>
    expect(hex(encodeCanonical(floatLiteral(0.1)))).toBe('92a166cb3fb999999999999a'))

  test.each([
    [1, 1],
    [-0, 0],
    [2 ** 32 - 1, 4294967295],
    [2 ** 32, '4294967296'],
    [2 ** 40, '1099511627776'],
    [-(2 ** 31), -2147483648],
    [-(2 ** 31) - 1, '-2147483649'],
    [2n ** 53n + 1n, '9007199254740993'],
    [7n, 7],
  ])('the integer %p is written as %p', (n, written) => expect(intLiteral(n)).toEqual(['i', written]))

  test.each([0.5, NaN, 2 ** 53, 2n ** 63n, -(2n ** 63n) - 1n])('%p is no integer literal', (n) =>
    expect(() => intLiteral(n)).toThrow(ProtocolError),
  )

  test.each(['', 'emoji 🎲', 'x'.repeat(31), 'x'.repeat(32), 'x'.repeat(255), 'é'.repeat(31), '漢'.repeat(30_000)])(
    'text survives',
    (text) => {
      expect(decode(encodeCanonical(['s', text]))).toEqual(['s', text])
    },
  )

  test('text has the shortest byte form, as in Python', () => {
    expect(hex(encodeCanonical('é'.repeat(15))).slice(0, 2)).toBe('be')
    expect(hex(encodeCanonical('é'.repeat(16))).slice(0, 4)).toBe('d920')
    expect(hex(encodeCanonical('é'.repeat(127))).slice(0, 4)).toBe('d9fe')
    expect(hex(encodeCanonical('é'.repeat(128))).slice(0, 6)).toBe('da0100')
  })
})

describe('refusals', () => {
  class Point {
    x = 1
  }
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])

  test.each([
    ['undefined', undefined],
    ['undefined in a map', { a: undefined }],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a bigint', 1n],
    ['minus zero', -0],
    ['a wide integer', 2 ** 32],
    ['a wide negative integer', -(2 ** 31) - 1],
    ['an integral float', 1e300],
    ['a typed array', new Float32Array(2)],
    ['a buffer', Buffer.from('x')],
    ['a date', new Date(0)],
    ['a Map', new Map()],
    ['a class instance', new Point()],
    ['an error', new Error('x')],
    ['a boxed number', Object(1)],
    ['a hole', new Array(2)],
    ['a lone surrogate', '\ud800'],
    ['a lone surrogate in a key', { '\ud800': 1 }],
    ['deep nesting', nested(70)],
    ['minus zero in a tagged literal', ['f', -0]],
  ])('%s is refused', (_, value) => expect(() => validate(value)).toThrow(ProtocolError))

  test('names the place', () => {
    expect(() => validate({ options: [1, { width: undefined }] }, 'params')).toThrow(
      'Expected `params.options[1].width` to be null, a boolean, a number, a string, an array or a plain object, got `undefined` (undefined)',
    )
  })

  test('plain values of another realm are plain', () => {
    const foreign: unknown = runInNewContext('({ a: [1, "x", null, { b: 0.5 }] })')
    expect(() => validate(foreign)).not.toThrow()
    expect(decode(encodeCanonical(foreign))).toEqual({ a: [1, 'x', null, { b: 0.5 }] })
    expect(() => validate(runInNewContext('[new Float32Array(1)]'))).toThrow(ProtocolError)
    expect(() => validate(runInNewContext('[new Date()]'))).toThrow(ProtocolError)
  })

  test('64 levels pass', () => {
    const deep = nested(64)
    expect(decode(encodeCanonical(deep))).toEqual(deep)
  })

  test.each([
    ['an empty frame', ''],
    ['truncation', '920193'],
    ['a gigabyte claim', 'dd40000000'],
    ['a gigabyte of text', 'db40000000'],
    ['a gigabyte map', 'df40000000'],
    ['an extension', 'd40000'],
    ['a record of msgpackr', 'd47240'],
    ['a timestamp', 'd6ff00000000'],
    ['an 8-bit extension', 'c70105ff'],
    ['the unused byte', 'c1'],
    ['trailing bytes', '0101'],
    ['deep nesting', '91'.repeat(100) + '01'],
  ])('%s does not decode', (_, bytes) => expect(() => decode(Buffer.from(bytes, 'hex'))).toThrow(ProtocolError))

  test.each([
    ['no array', '01'],
    ['another major', '920290'],
    ['items that are no list', '920101'],
    ['an item without a kind', '920191a178'],
    ['an empty item', '92019190'],
  ])('%s is no header', (_, bytes) => expect(() => decodeHeader(Buffer.from(bytes, 'hex'))).toThrow(ProtocolError))

  test('random bytes either decode or are refused', () => {
    let state = 12345
    const random = (): number => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648
    for (let round = 0; round < 3000; round++) {
      const bytes = Buffer.from(Array.from({ length: 1 + Math.floor(random() * 40) }, () => Math.floor(random() * 256)))
      let refused: unknown
      try {
        decodeHeader(bytes)
      } catch (error) {
        refused = error
      }
      if (refused !== undefined) expect(refused).toBeInstanceOf(ProtocolError)
    }
  })
})
