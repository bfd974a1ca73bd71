/**
 * The header frame: msgpack with every lossy habit of the encoder switched off or refused.
 * msgpack would silently turn `1.0` into `1`, `-0` into `0` and wide integers into floats, so numbers outside the safe range
 * travel only inside tagged literals (`["f", x]`, `["i", n]`). Source of the byte rules: PROTOCOL.md, "Messages" and "Plans".
 */
import { createHash } from 'node:crypto'
import { Packr } from 'msgpackr'
import { ProtocolError } from './errors'
import { scan } from './scan'

/** Nesting beyond this is refused by both decoders. */
export const MAX_DEPTH = 64

export const PROTOCOL_VERSION = [1, 0] as const

/** What may stand in a header. Maps occur only in `params` and `value`. */
export type Wire = null | boolean | number | string | readonly Wire[] | { readonly [key: string]: Wire }

const options = {
  useRecords: false,
  variableMapSize: true,
  encodeUndefinedAsNil: false,
  int64AsType: 'auto',
  moreTypes: false,
}

// The declared type of `int64AsType` lacks 'auto': a number within 2^53, a bigint beyond.
const packr = new Packr(options as ConstructorParameters<typeof Packr>[0])

const kindOf = (value: unknown): string => {
  if (value === null || value === undefined) return String(value)
  if (typeof value !== 'object') return typeof value
  return Object.prototype.toString.call(value).slice(8, -1)
}

const refuse = (at: string, value: unknown, expected: string): never => {
  const shown = Object.is(value, -0) ? '-0' : typeof value === 'symbol' ? 'symbol' : String(value).slice(0, 60)
  throw new ProtocolError(`Expected \`${at}\` to be ${expected}, got \`${shown}\` (${kindOf(value)})`)
}

// A class of another realm is still a plain object when its prototype is the root of its chain: jest runs tests in their own realm.
const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return false
  return kindOf(value) === 'Object'
}

const LONE_SURROGATE = /\p{Surrogate}/u

const SAFE_NUMBER = 'an integer in [-2^31, 2^32), a fraction or a tagged literal'

function checkNumber(value: number, at: string): void {
  if (Object.is(value, -0)) refuse(at, value, 'a tagged literal (`["f", "-0"]`)')
  if (Number.isInteger(value) && (value < -0x80000000 || value > 0xffffffff)) refuse(at, value, SAFE_NUMBER)
}

/**
 * Throws ProtocolError when msgpack would change `value` on its way: `undefined`, functions, symbols, bigints, typed arrays, class
 * instances, sparse arrays, `-0` and wide integers outside a tagged literal, lone surrogates, nesting beyond 64.
 */
export function validate(value: unknown, at = 'value', depth = 0): asserts value is Wire {
  if (depth > MAX_DEPTH) throw new ProtocolError(`Expected \`${at}\` to be nested at most ${MAX_DEPTH} deep`)
  switch (typeof value) {
    case 'boolean':
      return
    case 'number':
      return checkNumber(value, at)
    case 'string':
      if (LONE_SURROGATE.test(value)) refuse(at, value, 'a well-formed Unicode string')
      return
    case 'object':
      break
    default:
      refuse(at, value, 'null, a boolean, a number, a string, an array or a plain object')
  }
  if (value === null) return
  if (Array.isArray(value)) {
    const tagged = value.length === 2 && value[0] === 'f' && typeof value[1] === 'number' && !Object.is(value[1], -0)
    if (tagged) return
    for (let i = 0; i < value.length; i++) validate(value[i], `${at}[${i}]`, depth + 1)
    return
  }
  if (!isPlain(value as object)) refuse(at, value, 'an array or a plain object')
  for (const [key, item] of Object.entries(value as object)) {
    if (LONE_SURROGATE.test(key) || key === '__proto__') refuse(at, key, 'an object with safe keys')
    validate(item, `${at}.${key}`, depth + 1)
  }
}

/** The tagged literal of a float; `-0` is written as text because msgpack has no way to keep it. */
export const floatLiteral = (x: number): readonly ['f', number | string] => ['f', Object.is(x, -0) ? '-0' : x]

/** The tagged literal of an integer of at most 64 bits; beyond 32 bits it is written as a decimal string. */
export function intLiteral(n: number | bigint): readonly ['i', number | string] {
  if (typeof n === 'number' && !Number.isSafeInteger(n)) refuse('n', n, 'an integer within 2^53, or a bigint')
  if (n < -(2n ** 63n) || n >= 2n ** 63n) refuse('n', n, 'an integer of 64 bits')
  if (n < -0x80000000 || n > 0xffffffff) return ['i', String(n)]
  return ['i', Number(n) + 0]
}

/** The one byte form of a validated value: equal values give equal bytes, so a hash of them names a plan. */
export function encodeCanonical(value: unknown): Uint8Array {
  validate(value)
  return packr.pack(value)
}

/** SHA-256 in hex, of bytes or of the canonical bytes of a value. */
export const hash = (value: unknown): string =>
  createHash('sha256')
    .update(ArrayBuffer.isView(value) ? (value as Uint8Array) : encodeCanonical(value))
    .digest('hex')

/** The header frame `[1, items]`. The items are built by the queue from values that were validated where they came in. */
export const encodeHeader = (items: readonly unknown[]): Buffer => packr.pack([PROTOCOL_VERSION[0], items])

/** Reads one value; refuses ext types, truncation, trailing bytes and deep nesting before anything is built. */
export function decode(bytes: Uint8Array): Wire {
  scan(bytes, MAX_DEPTH)
  return packr.unpack(bytes) as Wire
}

/** The items of a header frame `[1, items]`; throws ProtocolError for another major version or shape. */
export function decodeHeader(bytes: Uint8Array): readonly (readonly Wire[])[] {
  const header = decode(bytes)
  if (!Array.isArray(header) || header.length !== 2 || !Array.isArray(header[1])) {
    throw new ProtocolError('Expected the header to be `[major, items]`')
  }
  if (header[0] !== PROTOCOL_VERSION[0]) {
    throw new ProtocolError(`Expected protocol major ${PROTOCOL_VERSION[0]}, got \`${String(header[0])}\``)
  }
  for (const item of header[1] as unknown[]) {
    if (!Array.isArray(item) || typeof item[0] !== 'number')
      throw new ProtocolError('Expected every item to be an array that starts with its kind')
  }
  return header[1] as (readonly Wire[])[]
}
