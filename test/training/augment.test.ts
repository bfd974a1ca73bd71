/** Crop and flip: every image gets a window of its padded self, and the draws reach every place. */
import { plan } from '../../ts/tensor/plan'
import type { Tensor } from '../../ts/tensor/tensor'
import { augment } from '../../ts/training/augment'
import { numbers, useWorker } from '../support/worker'

const worker = useWorker()
const [BATCH, CHANNELS, HEIGHT, WIDTH] = [256, 2, 3, 4]

/** Entry (channel, row, column) holds a number of its own, the same in each image. */
const entry = (channel: number, row: number, column: number): number => 1 + (channel * HEIGHT + row) * WIDTH + column

async function augmented(crop: number, flip: boolean): Promise<number[][]> {
  const size = CHANNELS * HEIGHT * WIDTH
  const image = Float32Array.from({ length: BATCH * size }, (_, i) => 1 + (i % size))
  const generator = worker().generator(3)
  const run = plan(
    'augment',
    (x: Tensor, y: Tensor) =>
      augment(x, y, { crop, flip, size: { channels: CHANNELS, height: HEIGHT, width: WIDTH }, generator }),
    { session: worker() },
  )
  const x = worker().put(image, [BATCH, CHANNELS, HEIGHT, WIDTH])
  const flat = await numbers(run(x, worker().put(new BigInt64Array(BATCH), [BATCH])))
  return Array.from({ length: BATCH }, (_, b) => flat.slice(b * size, (b + 1) * size))
}

/** The image moved by (top, left) and perhaps flipped, with zeros outside. */
function window(top: number, left: number, flipped: boolean): number[] {
  const pixels: number[] = []
  for (let c = 0; c < CHANNELS; c++) {
    for (let row = 0; row < HEIGHT; row++) {
      for (let column = 0; column < WIDTH; column++) {
        const [r, k] = [row + top, (flipped ? WIDTH - 1 - column : column) + left]
        pixels.push(r >= 0 && r < HEIGHT && k >= 0 && k < WIDTH ? entry(c, r, k) : 0)
      }
    }
  }
  return pixels
}

test('nothing to do leaves the images alone', async () => {
  for (const image of await augmented(0, false)) expect(image).toEqual(window(0, 0, false))
})

test('every image is one of the windows, and all windows occur', async () => {
  const known = new Map<string, string>()
  for (const top of [-1, 0, 1]) {
    for (const left of [-1, 0, 1]) {
      for (const flipped of [false, true]) known.set(window(top, left, flipped).join(), `${top} ${left} ${flipped}`)
    }
  }
  expect(known.size).toBe(18)
  const seen = (await augmented(1, true)).map((image) => known.get(image.join()))
  expect(seen).not.toContain(undefined)
  expect(new Set(seen).size).toBe(18)
})
