/**
 * A walk over msgpack bytes that builds nothing. The decoder of msgpackr knows extensions (dates, records, typed arrays, references)
 * that the protocol does not have, and a forged length makes it allocate; both are refused here first.
 */
import { ProtocolError } from './errors'

const fail = (text: string): never => {
  throw new ProtocolError(`Expected well-formed msgpack, got ${text}`)
}

/** Bytes that follow the first one of a fixed-size scalar: float32, float64, uint8…64, int8…64 start at 0xca. */
const SCALAR_BYTES = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8]

class Scanner {
  private at = 0

  constructor(private readonly bytes: Uint8Array) {}

  get done(): boolean {
    return this.at === this.bytes.length
  }

  value(depth: number): void {
    if (depth < 0) fail('nesting that is too deep')
    const first = this.take(1)
    if (first <= 0x7f || first >= 0xe0) return
    if (first <= 0x8f) return this.many((first & 0x0f) * 2, depth)
    if (first <= 0x9f) return this.many(first & 0x0f, depth)
    if (first <= 0xbf) return this.skip(first & 0x1f)
    if (first === 0xc0 || first === 0xc2 || first === 0xc3) return
    if (first >= 0xc4 && first <= 0xc6) return this.skip(this.take(1 << (first - 0xc4)))
    if (first >= 0xca && first <= 0xd3) return this.skip(SCALAR_BYTES[first - 0xca] as number)
    if (first >= 0xd9 && first <= 0xdb) return this.skip(this.take(1 << (first - 0xd9)))
    if (first === 0xdc || first === 0xdd) return this.many(this.take(first === 0xdc ? 2 : 4), depth)
    if (first === 0xde || first === 0xdf) return this.many(this.take(first === 0xde ? 2 : 4) * 2, depth)
    fail(first === 0xc1 ? 'the unused byte 0xc1' : 'an extension type')
  }

  private many(count: number, depth: number): void {
    if (count > this.bytes.length - this.at) fail('a length beyond the end')
    for (let i = 0; i < count; i++) this.value(depth - 1)
  }

  private skip(count: number): void {
    if (count > this.bytes.length - this.at) fail('a length beyond the end')
    this.at += count
  }

  private take(count: number): number {
    const start = this.at
    this.skip(count)
    let value = 0
    for (let i = start; i < this.at; i++) value = value * 256 + (this.bytes[i] as number)
    return value
  }
}

/** Throws ProtocolError unless `bytes` is exactly one msgpack value without extensions, nested at most `maxDepth` deep. */
export function scan(bytes: Uint8Array, maxDepth: number): void {
  const scanner = new Scanner(bytes)
  scanner.value(maxDepth)
  if (!scanner.done) fail('bytes after the end')
}
