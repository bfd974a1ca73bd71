/**
 * C&W-L2 on linear classifiers, where the closest image with another label has a closed form: the projection onto a
 * half-space, and onto its intersection with the image box.
 */
import cw, { type Options } from '../../ts/attacks/cw'
import linf from '../../ts/threats/linf'
import { use } from '../../ts/tensor/functions'
import { plan } from '../../ts/tensor/plan'
import type { Tensor } from '../../ts/tensor/tensor'
import { craft } from '../../ts/threats/shared/craft'
import { uniform } from '../support/draws'
import { numbers, useWorker } from '../support/worker'

const worker = useWorker()
const PIXELS = 12

interface Classifier {
  /** weights[class][pixel] */
  readonly weights: readonly number[][]
  readonly bias: readonly number[]
}

/** Images of mid-grey pixels, so that the closest points lie inside the box. */
const grey = (seed: number, n: number): number[][] =>
  Array.from({ length: n }, (_, b) => Array.from(uniform(seed + b, PIXELS, 0.35, 0.65)))
/** Images with many pixels at 0 or 1, where the box cuts the straight way off. */
const contrast = (seed: number, n: number): number[][] =>
  Array.from({ length: n }, (_, b) =>
    Array.from(uniform(seed + b, PIXELS, -1, 2), (x) => Math.fround(Math.min(Math.max(x, 0.02), 0.98))),
  )

/** Random weights; the biases centre the logits of the mean image, so that every class is near. */
function classifier(seed: number, classes: number): Classifier {
  const weights = Array.from({ length: classes }, (_, k) => Array.from(uniform(seed + 10 * k, PIXELS, -2, 2)))
  return { weights, bias: weights.map((row) => -row.reduce((sum, w) => sum + w / 2, 0)) }
}

const logits = ({ weights, bias }: Classifier, x: readonly number[]): number[] =>
  weights.map((row, k) => row.reduce((sum, w, i) => sum + w * x[i]!, bias[k]!))
const predicted = (z: readonly number[]): number => z.indexOf(Math.max(...z))
const distance = (a: readonly number[], b: readonly number[]): number => Math.hypot(...a.map((x, i) => x - b[i]!))

/** The least distance to an image in the box with z_k >= z_y for some other k: a bisection for the multiplier. */
function optimum(model: Classifier, x: readonly number[], label: number): number {
  const z = logits(model, x)
  const distances = model.weights.map((row, k) => {
    if (k === label) return Infinity
    const direction = row.map((w, i) => w - model.weights[label]![i]!)
    const at = (mu: number): number[] => x.map((pixel, i) => Math.min(Math.max(pixel + mu * direction[i]!, 0), 1))
    const margin = (mu: number): number => {
      const moved = logits(model, at(mu))
      return moved[k]! - moved[label]!
    }
    if (z[k]! >= z[label]!) return 0
    if (margin(1e3) < 0) return Infinity
    let [low, high] = [0, 1e3]
    for (let i = 0; i < 80; i++) {
      const middle = (low + high) / 2
      if (margin(middle) < 0) low = middle
      else high = middle
    }
    return distance(at(high), x)
  })
  return Math.min(...distances)
}

async function attack(
  { weights, bias }: Classifier,
  images: readonly number[][],
  labels: readonly number[],
  options: Options,
): Promise<number[][]> {
  const session = worker()
  const matrix = session.put(Float32Array.from(weights.flat()), [weights.length, PIXELS])
  const offset = session.put(Float32Array.from(bias), [bias.length])
  const generator = session.generator(0)
  const network = (x: Tensor): Tensor => x.flatten({ startDim: 1 }).matmul(use(matrix).transpose(0, 1)).add(use(offset))
  const run = plan(
    'attack',
    (x: Tensor, y: Tensor) =>
      craft({ attack: cw(options), threat: linf({ epsilon: 0 }), network, clean: x, y, generator }),
    { session },
  )
  const clean = session.put(Float32Array.from(images.flat()), [images.length, 1, 3, 4])
  const y = session.put(BigInt64Array.from(labels, BigInt), [labels.length])
  const flat = await numbers(run(clean, y))
  return images.map((_, b) => flat.slice(b * PIXELS, (b + 1) * PIXELS))
}

/** The first step of Adam on w moves grey pixels by half the learning rate: nearer answers are overshot. */
const FIRST_STEP = (0.01 / 2) * Math.sqrt(PIXELS)

describe.each([2, 3])('%p classes', (classes) => {
  test.each([
    ['inside the box', grey],
    ['at the walls of the box', contrast],
  ])('the closest success lies within 1.05 of the optimum, %s', async (_name, make) => {
    const model = classifier(1, classes)
    const images = make(100, 12)
    const labels = images.map((x) => predicted(logits(model, x)))
    const found = await attack(model, images, labels, { iterations: 150 })
    const optima = images.map((x, b) => optimum(model, x, labels[b]!))
    expect(optima.filter((best) => best > FIRST_STEP).length).toBeGreaterThan(8)
    found.forEach((x, b) => {
      const best = optima[b]!
      const gone = distance(x, images[b]!)
      expect(predicted(logits(model, x))).not.toBe(labels[b])
      for (const pixel of x) expect(Math.abs(pixel - 0.5)).toBeLessThanOrEqual(0.5)
      expect(gone).toBeLessThanOrEqual(best > FIRST_STEP ? 1.05 * best : FIRST_STEP)
      expect(gone).toBeGreaterThanOrEqual(best * (1 - 1e-4))
    })
  })
})

test('batch mates change nothing', async () => {
  const model = classifier(2, 3)
  const images = grey(300, 6)
  const labels = images.map((x) => predicted(logits(model, x)))
  const options = { searches: 4, iterations: 40, c: 0.1 }
  const together = await attack(model, images, labels, options)
  // Other images, some of them wrong from the start, around the same first two.
  const others = [...images.slice(0, 2), ...contrast(400, 4)]
  const apart = await attack(model, others, [...labels.slice(0, 2), 0, 1, 2, 0], options)
  expect(apart.slice(0, 2)).toEqual(together.slice(0, 2))
  expect(together[0]).not.toEqual(images[0])
})

test('images with another label from the start, and images without a success, come back clean', async () => {
  const model = classifier(3, 2)
  const images = contrast(500, 6)
  const wrong = images.map((x) => 1 - predicted(logits(model, x)))
  expect(await attack(model, images, wrong, { searches: 2, iterations: 20 })).toEqual(images)
  const sure = { ...model, bias: [1e4, -1e4] }
  expect(await attack(sure, images, [0, 0, 0, 0, 0, 0], { searches: 2, iterations: 20 })).toEqual(images)
})

test('a margin moves images farther, a bound sends far ones back', async () => {
  const model = classifier(4, 2)
  const images = grey(600, 8)
  const labels = images.map((x) => predicted(logits(model, x)))
  const options = { searches: 5, iterations: 60, c: 0.1 }
  const near = await attack(model, images, labels, options)
  const far = await attack(model, images, labels, { ...options, kappa: 1 })
  far.forEach((x, b) => {
    const z = logits(model, x)
    expect(z[1 - labels[b]!]! - z[labels[b]!]!).toBeGreaterThanOrEqual(1 - 1e-4)
    expect(distance(x, images[b]!)).toBeGreaterThan(distance(near[b]!, images[b]!))
  })
  const distances = near.map((x, b) => distance(x, images[b]!))
  const bound = (Math.min(...distances) + Math.max(...distances)) / 2
  const bounded = await attack(model, images, labels, { ...options, bound })
  expect(bounded).toEqual(near.map((x, b) => (distances[b]! <= bound ? x : images[b]!)))
})

test.each<[string, Options, string]>([
  ['c', { c: 0 }, 'Expected `c` to be a number in (0, Infinity), got `0` (number)'],
  ['searches', { searches: 0 }, 'Expected `searches` to be an integer in [1, Infinity), got `0` (number)'],
  ['bound', { bound: NaN }, 'Expected `bound` to be a number in [0, Infinity), got `NaN` (number)'],
])('refuses an impossible %s', (_name, options, message) => {
  expect(() => cw(options)).toThrow(new RangeError(message))
})
