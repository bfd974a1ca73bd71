/**
 * Scalars as a TensorBoard event file: TFRecord frames (length, masked CRC-32C of it, data, masked CRC-32C of them) around
 * `Event` messages of tensorflow/core/util/event.proto. Written by hand: four fields do not justify a protobuf library.
 */

/** One number of one run at one step. */
export interface LoggedScalar {
  /** `train/loss`: what comes before the slash groups charts. */
  readonly tag: string
  readonly step: number
  readonly value: number
  /** Seconds since 1970. */
  readonly time: number
}

/** The bytes of an event file; `start` is the time (seconds since 1970) of its first event, which names the format. */
export function toEventFile(scalars: readonly LoggedScalar[], start: number): Buffer {
  const version = Buffer.concat([double(1, start), bytes(3, Buffer.from('brain.Event:2'))])
  const events = scalars.map(({ tag, step, value, time }) => {
    const summary = bytes(1, Buffer.concat([bytes(1, Buffer.from(tag)), float(2, value)]))
    return Buffer.concat([double(1, time), integer(2, step), bytes(5, summary)])
  })
  return Buffer.concat([version, ...events].map(frame))
}

function frame(data: Buffer): Buffer {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(data.length))
  return Buffer.concat([length, checksum(length), data, checksum(data)])
}

/** CRC-32C, rotated right by 15 bits, plus a constant: a checksum of data that hold checksums stays a good one. */
function checksum(data: Buffer): Buffer {
  const crc = crc32c(data)
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
  const out = Buffer.alloc(4)
  out.writeUInt32LE(masked)
  return out
}

/** By byte: the remainder of the reflected Castagnoli polynomial. */
const remainders = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc
})

/** CRC-32C (Castagnoli) as in RFC 3720, appendix B.4. */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of data) crc = (remainders[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  return ~crc >>> 0
}

// protobuf: a key is the field number times 8 plus the wire type (0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes)
const key = (field: number, type: 0 | 1 | 2 | 5): Buffer => varint(field * 8 + type)

function varint(value: number): Buffer {
  const out: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) + 128)
  return Buffer.from([...out, rest])
}

const integer = (field: number, value: number): Buffer => Buffer.concat([key(field, 0), varint(value)])
const bytes = (field: number, value: Buffer): Buffer => Buffer.concat([key(field, 2), varint(value.length), value])

function double(field: number, value: number): Buffer {
  const out = Buffer.alloc(8)
  out.writeDoubleLE(value)
  return Buffer.concat([key(field, 1), out])
}

function float(field: number, value: number): Buffer {
  const out = Buffer.alloc(4)
  out.writeFloatLE(value)
  return Buffer.concat([key(field, 5), out])
}
