/**
 * Every file of the folder, on a linear classifier: ball and box, determinism, untouched inputs, and better than
 * chance.
 */
import type { Attack } from '../../ts/tensor/kinds'
import linf from '../../ts/threats/linf'
import { makeMethod, methodNames } from '../../ts/training/registry'
import { uniform } from '../support/draws'
import { useWorker } from '../support/worker'
import { linear, PIXELS, type Linear } from './linear'
import { attacked } from './run'

const worker = useWorker()
const EPSILON = 0.1
const FLOAT = 1e-6

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((x, i) => Math.abs(x - b[i]!)))
/** How far the class that the attack pushes up lies above the other one. */
const margin = (model: Linear, x: readonly number[], down: number): number => {
  const z = model.logits(x)
  return z[1 - down]! - z[down]!
}

describe.each(methodNames('attacks'))('%s', (name) => {
  const make = (epsilon: number): Attack => makeMethod('attacks', name, { epsilon, stepSize: 0.04, iterations: 6 })
  const run = (model: Linear, epsilon: number, seed = 0): Promise<number[][]> =>
    attacked({ session: worker(), model, attack: make(epsilon), threat: linf({ epsilon }), seed })

  test('stays where it may', async () => {
    const model = linear(worker(), 1)
    const images = await run(model, EPSILON)
    // An attack without projection (C&W) moves a pixel by at most its learning rate an iteration: less than epsilon
    // here.
    images.forEach((x, b) => expect(distance(x, model.images[b]!)).toBeLessThanOrEqual(EPSILON + FLOAT))
    if (make(EPSILON).within === 'threat') {
      for (const pixel of images.flat()) expect(pixel).toBeGreaterThanOrEqual(0)
      for (const pixel of images.flat()) expect(pixel).toBeLessThanOrEqual(1)
    }
  })

  test('gives the same images for the same seed', async () => {
    const model = linear(worker(), 2)
    expect(await run(model, EPSILON, 7)).toEqual(await run(model, EPSILON, 7))
  })

  test('is better than random signs of the same size', async () => {
    for (const seed of [3, 4, 5]) {
      const model = linear(worker(), seed)
      const images = await run(model, EPSILON)
      images.forEach((x, b) => {
        const clean = model.images[b]!
        const down =
          make(EPSILON).within === 'threat'
            ? model.labels[b]!
            : Number(model.logits(clean)[1]! > model.logits(clean)[0]!)
        const size = distance(x, clean)
        const random = Array.from(uniform(1000 * seed + b, PIXELS, -1, 1), (r, i) =>
          Math.min(Math.max(clean[i]! + size * Math.sign(r), 0), 1),
        )
        expect(margin(model, x, down)).toBeGreaterThanOrEqual(margin(model, random, down) - FLOAT)
      })
    }
  })

  test('with epsilon = 0 nothing moves, unless the attack knows no ball', async () => {
    const model = linear(worker(), 6)
    const free = make(0).within === 'none'
    expect(await run(model, 0)).toEqual(free ? await run(model, EPSILON) : model.images)
  })
})
