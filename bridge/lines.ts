/** Cuts a byte stream into lines. A flood without a newline is cut too, so that memory stays bounded. */
import { StringDecoder } from 'node:string_decoder'

const MAX_LINE = 64 * 1024

export class LineSplitter {
  private readonly decoder = new StringDecoder('utf8')
  private rest = ''

  constructor(private readonly onLine: (line: string) => void) {}

  push(chunk: Uint8Array): void {
    const lines = (this.rest + this.decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))).split(
      '\n',
    )
    this.rest = lines.pop() ?? ''
    for (const line of lines) this.onLine(line.replace(/\r$/, ''))
    if (this.rest.length > MAX_LINE) this.end()
  }

  /** What stood behind the last newline is a line too: a crash message often has none. */
  end(): void {
    if (this.rest) this.onLine(this.rest)
    this.rest = ''
  }
}
