/** cw_paper on a linear two-class model, against Adam written again in double precision, one image at a time. */
import cwPaper, { type Options } from '../../ts/attacks/cw_paper'
import linf from '../../ts/threats/linf'
import { useWorker } from '../support/worker'
import { linear, type Linear } from './linear'
import { attacked } from './run'

const worker = useWorker()

/** The published attack on one image; `l2` adds ||x - clean||^2. */
function reference(
  model: Linear,
  clean: readonly number[],
  { c = 10, kappa = 0, iterations = 50, lr = 6e-4, l2 = false }: Options,
): number[] {
  const first = model.logits(clean)
  const [p, r] = first[0]! >= first[1]! ? [0, 1] : [1, 0]
  let x = [...clean]
  let best = x
  let lowest = Infinity
  const m = x.map(() => 0)
  const v = x.map(() => 0)
  for (let t = 1; t <= iterations; t++) {
    const z = model.logits(x)
    const hinge = z[p]! - z[r]! + kappa
    const squares = x.reduce((sum, pixel, i) => sum + (pixel - clean[i]!) ** 2, 0)
    const loss = c * Math.max(hinge, 0) + (l2 ? squares : 0)
    if (loss < lowest) [lowest, best] = [loss, x]
    x = x.map((pixel, i) => {
      const slope = model.weights[i]![p]! - model.weights[i]![r]!
      const gradient = (hinge > 0 ? c * slope : 0) + (l2 ? 2 * (pixel - clean[i]!) : 0)
      m[i] = 0.9 * m[i]! + 0.1 * gradient
      v[i] = 0.999 * v[i]! + 0.001 * gradient ** 2
      return pixel - (lr * (m[i] / (1 - 0.9 ** t))) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8)
    })
  }
  return best
}

test.each<[string, Options]>([
  ['as published', {}],
  ['with the l2 term', { l2: true, c: 0.05 }],
  ['until success', { lr: 0.01, iterations: 80, kappa: 0.1 }],
])('%s it follows Adam', async (_name, options) => {
  const model = linear(worker(), 11)
  const images = await attacked({ session: worker(), model, attack: cwPaper(options), threat: linf({ epsilon: 0.1 }) })
  const expected = model.images.map((x) => reference(model, x, options))
  images.flat().forEach((pixel, i) => expect(pixel).toBeCloseTo(expected.flat()[i]!, 5))
  expect(images).not.toEqual(model.images)
})

test('it lowers the predicted class, not the label, by 49 steps of 6e-4 without projection', async () => {
  const model = linear(worker(), 12)
  const images = await attacked({ session: worker(), model, attack: cwPaper(), threat: linf({ epsilon: 0 }) })
  const other = { ...model, labels: model.labels.map((label) => 1 - label) }
  expect(await attacked({ session: worker(), model: other, attack: cwPaper(), threat: linf({ epsilon: 0 }) })).toEqual(
    images,
  )
  const moves = images.flat().map((pixel, i) => Math.abs(pixel - model.images.flat()[i]!))
  expect(Math.max(...moves)).toBeGreaterThan(0.02)
  expect(Math.max(...moves)).toBeLessThan(50 * 6e-4)
})

test('a factor keeps a share of the perturbation', async () => {
  const model = linear(worker(), 13)
  const run = (factor: number): Promise<number[][]> =>
    attacked({ session: worker(), model, attack: cwPaper({ factor }), threat: linf({ epsilon: 0.1 }) })
  const [whole, part] = [(await run(1)).flat(), (await run(0.5)).flat()]
  part.forEach((pixel, i) => expect(pixel).toBeCloseTo((whole[i]! + model.images.flat()[i]!) / 2, 6))
})
