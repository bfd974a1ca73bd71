/**
 * Counts of right answers: against logits read back, with a last batch that is not full, and independent of the other
 * attacks.
 */
import fgsm from '../../ts/attacks/fgsm'
import pgd from '../../ts/attacks/pgd'
import { evaluate } from '../../ts/evaluation/evaluate'
import { paperA } from '../../ts/evaluation/suites'
import linf from '../../ts/threats/linf'
import { use } from '../../ts/tensor/functions'
import { plan } from '../../ts/tensor/plan'
import type { Dataset, Model } from '../../ts/tensor/session'
import { numbers, useWorker } from '../support/worker'

const worker = useWorker()
const threat = linf({ epsilon: 0.1 })
let data: Dataset
beforeAll(async () => {
  data = await worker().data('fashion_mnist_subset', { split: 'test' })
})

const network = (options: object): Promise<Model> =>
  worker().model('enresnet8', { members: 1, width: 4, stem_stride: 2, channels: 1, classes: 10, seed: 1, ...options })

test('the natural count is that of the logits of images spread over the split, whatever the batches', async () => {
  const model = await network({ noise: 0 })
  const logits = plan('logits', () => model.call(use(data.images), { mode: 'eval' }), { session: worker() })
  const labels = plan('labels', () => use(data.labels), { session: worker() })
  // Every twentieth of 1,000 images.
  const every = <T>(all: readonly T[], size: number): T[] =>
    Array.from({ length: 50 }, (_, i) => all.slice(20 * i * size, (20 * i + 1) * size)).flat()
  const [z, y] = [every(await numbers(logits()), 10), every(await numbers(labels()), 1)]
  const right = y.filter((label, i) => {
    const row = z.slice(10 * i, 10 * i + 10)
    return row.indexOf(Math.max(...row)) === label
  }).length
  for (const batch of [50, 17, 100]) {
    const { natural } = await evaluate({
      session: worker(),
      model,
      data,
      attacks: {},
      threat,
      batch,
      limit: 50,
      seed: 0,
    })
    expect(natural).toEqual({ correct: right, n: 50 })
  }
})

test('a number depends on the seed and the noise, not on the attacks that run beside it', async () => {
  const model = await network({ noise: 3 })
  const suite = paperA({ epsilon: 0.1, stepSize: 0.025 })
  const options = { session: worker(), model, data, threat, batch: 20, limit: 50 }
  const all = await evaluate({ ...options, attacks: suite, seed: 4 })
  expect(Object.keys(all.attacks)).toEqual(['fgsm', 'ifgsm20', 'cw_paper'])
  const one = await evaluate({ ...options, attacks: { fgsm: fgsm({ epsilon: 0.1 }) }, seed: 4 })
  expect(one).toEqual({ natural: all.natural, attacks: { fgsm: all.attacks['fgsm'] } })
  const counts = new Set<number>()
  for (const seed of [5, 6, 7, 8]) counts.add((await evaluate({ ...options, attacks: {}, seed })).natural.correct)
  expect(counts.size).toBeGreaterThan(1)
  const quiet = new Set<number>()
  for (const seed of [5, 6, 7])
    quiet.add((await evaluate({ ...options, attacks: {}, seed, noise: false })).natural.correct)
  expect(quiet.size).toBe(1)
})

test('progress counts images, and an aborted evaluation rejects with the reason', async () => {
  const model = await network({ noise: 0 })
  const seen: unknown[] = []
  const options = { session: worker(), model, data, attacks: {}, threat, batch: 20, limit: 50, seed: 0 }
  await evaluate({ ...options, onProgress: (progress) => seen.push(progress) })
  expect(seen).toEqual([20, 40, 50].map((done) => ({ attack: 'natural', done, total: 50 })))
  const reason = new Error('enough')
  await expect(evaluate({ ...options, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})

test('restarts count the worst of each image: more never raise the count, and one is none', async () => {
  const model = await network({ noise: 3 })
  // A noisy network, so that restarts differ; each restart has its own draws, the first those of a single run.
  const attacks = { pgd: pgd({ stepSize: 1e-4, iterations: 1 }), fgsm: fgsm({ epsilon: 0.1 }) }
  const options = { session: worker(), model, data, attacks, threat, batch: 20, limit: 50 }
  const run = async (seed: number, restarts?: number): Promise<Record<string, number>> => {
    const { attacks: counts } = await evaluate({ ...options, seed, restarts })
    return Object.fromEntries(Object.entries(counts).map(([name, { correct }]) => [name, correct]))
  }
  const none = await run(3)
  const [one, two, six] = [await run(3, 1), await run(3, 2), await run(3, 6)]
  expect(one).toEqual(none)
  expect(two['pgd']).toBeLessThanOrEqual(one['pgd']!)
  expect(six['pgd']).toBeLessThanOrEqual(two['pgd']!)
  expect(six['pgd']).toBeLessThan(one['pgd']!)
  // Attacks from the clean image are run once.
  expect(six['fgsm']).toBe(none['fgsm'])
  await expect(run(3, 0)).rejects.toThrow('Expected `restarts` to be an integer in [1, Infinity), got `0` (number)')
})

test('a limit beyond the data is refused', async () => {
  const model = await network({ noise: 0 })
  const run = evaluate({ session: worker(), model, data, attacks: {}, threat, limit: 1001, seed: 0 })
  await expect(run).rejects.toThrow('Expected `limit` to be an integer in [1, 1000], got `1001` (number)')
})
