/** Pictures of signed numbers as PNG with a palette: blue below zero, orange above, and nothing at zero, on any page. */
import { crc32, deflateSync } from 'node:zlib'

/** Rows of one byte a pixel: 128 is zero, 1 and 255 are the ends of the scale. */
export interface SignedImage {
  readonly width: number
  readonly height: number
  readonly levels: Uint8Array
}

/** Colours of the ends: between the light and the dark variant of the series colours, so that both pages can carry them. */
export const signedColors = { negative: [46, 125, 209], positive: [222, 116, 28] } as const

/** The picture as a data URI; each pixel becomes a square of `scale` pixels, since viewers blur what they enlarge. */
export function signedPng({ width, height, levels }: SignedImage, scale: number): string {
  const palette = Buffer.alloc(3 * 256)
  const alpha = Buffer.alloc(256)
  for (let level = 0; level < 256; level++) {
    palette.set(level < 128 ? signedColors.negative : signedColors.positive, 3 * level)
    alpha[level] = Math.min(255, Math.round((255 * Math.abs(level - 128)) / 127))
  }
  const [columns, rows] = [width * scale, height * scale]
  const pixels = Buffer.alloc(rows * (columns + 1))
  for (let y = 0; y < rows; y++) {
    // a row begins with the number of its filter, 0: none
    const from = Math.floor(y / scale) * width
    for (let x = 0; x < columns; x++) pixels[y * (columns + 1) + 1 + x] = levels[from + Math.floor(x / scale)]!
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(columns, 0)
  header.writeUInt32BE(rows, 4)
  header.set([8, 3, 0, 0, 0], 8)
  const file = Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('PLTE', palette),
    chunk('tRNS', alpha),
    chunk('IDAT', deflateSync(pixels, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
  return `data:image/png;base64,${file.toString('base64')}`
}

/** Length, type, data, checksum of type and data. */
function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}
