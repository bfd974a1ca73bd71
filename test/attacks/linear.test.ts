/**
 * FGSM, IFGSM and PGD on a linear classifier: x + epsilon * sign(w_other - w_y), clipped to the box, is the exact
 * answer.
 */
import fgsm from '../../ts/attacks/fgsm'
import ifgsm from '../../ts/attacks/ifgsm'
import pgd from '../../ts/attacks/pgd'
import linf from '../../ts/threats/linf'
import { useWorker } from '../support/worker'
import { linear, type Linear } from './linear'
import { attacked } from './run'

const worker = useWorker()

const answer = ({ images, labels, weights }: Linear, epsilon: number): number[][] =>
  images.map((x, b) =>
    x.map((pixel, i) => {
      const towards = Math.sign(weights[i]![1 - labels[b]!]! - weights[i]![labels[b]!]!)
      return Math.min(Math.max(pixel + epsilon * towards, 0), 1)
    }),
  )

test.each([
  ['fgsm', (epsilon: number) => fgsm({ epsilon })],
  ['ifgsm', (epsilon: number) => ifgsm({ stepSize: epsilon / 4, iterations: 5 })],
  ['pgd', (epsilon: number) => pgd({ stepSize: epsilon / 2, iterations: 6 })],
  ['pgd without random start', (epsilon: number) => pgd({ stepSize: epsilon / 2, iterations: 3, randomStart: false })],
])('%s is exact', async (_name, make) => {
  for (const [seed, epsilon] of [
    [1, 0.03],
    [2, 0.1],
    [3, 0.5],
  ] as const) {
    const model = linear(worker(), seed)
    const images = await attacked({ session: worker(), model, attack: make(epsilon), threat: linf({ epsilon }), seed })
    images.flat().forEach((pixel, i) => expect(pixel).toBeCloseTo(answer(model, epsilon).flat()[i]!, 6))
  }
})

test('one iteration of a small step from a random start stays near the start, and depends on the seed', async () => {
  const model = linear(worker(), 4)
  const attack = pgd({ stepSize: 1e-6, iterations: 1 })
  const run = (seed: number): Promise<number[][]> =>
    attacked({ session: worker(), model, attack, threat: linf({ epsilon: 0.1 }), seed })
  const [first, second] = [(await run(1)).flat(), (await run(2)).flat()]
  expect(first).not.toEqual(second)
  const moves = first.map((pixel, i) => Math.abs(pixel - model.images.flat()[i]!))
  expect(Math.max(...moves)).toBeLessThanOrEqual(0.1 + 2e-6)
  // 48 uniform draws on [-0.1, 0.1], a few cut off by the image box: the mean of |draw| is near 0.05.
  expect(moves.reduce((a, b) => a + b) / moves.length).toBeGreaterThan(0.03)
})

test.each([
  ['fgsm', () => fgsm({ epsilon: 8 }), 'Expected `epsilon` to be a number in [0, 1], got `8` (number)'],
  [
    'ifgsm',
    () => ifgsm({ stepSize: 0.1, iterations: 0 }),
    'Expected `iterations` to be an integer in [1, Infinity), got `0` (number)',
  ],
  ['linf', () => linf({ epsilon: 8 }), 'Expected `epsilon` to be a number in [0, 1], got `8` (number)'],
])('%s refuses what it cannot use', (_name, make, message) => {
  expect(make).toThrow(new RangeError(message))
})
