/** The RGSM training step as text: what the method does to the worker's tensors, in order. */
import { int } from '../../ts/tensor/plan'
import { openWork } from '../../ts/training/work'
import { useWorker } from '../support/worker'
import { smokeConfig } from '../support/configs'

const worker = useWorker()

/** The names of a plan's operations in order, with repetitions folded: `(sub mul) x 9`. */
function outline(text: string): string[] {
  const names = text
    .split('\n')
    .slice(1)
    .map((line) => /^(?:%[\d.]+ = )?(\w+)/.exec(line.trim())?.[1] ?? '')
    .filter((name) => name !== '' && name !== 'get')
  const lines: string[] = []
  for (let i = 0; i < names.length;) {
    const { period, times } = longestRun(names, i)
    const group = names.slice(i, i + period).join(' ')
    lines.push(times === 1 ? group : `(${group}) x ${times}`)
    i += period * times
  }
  return lines
}

function longestRun(names: readonly string[], from: number): { period: number; times: number } {
  let best = { period: 1, times: 1 }
  for (let period = 1; period <= 8; period++) {
    let times = 1
    const at = (k: number): string => names.slice(from + k * period, from + (k + 1) * period).join()
    while (at(times) === at(0)) times++
    if (times > 1 && times * period > best.times * best.period) best = { period, times }
  }
  return best
}

test('the plan of an RGSM step does what Algorithm 2 says, in that order', async () => {
  const config = smokeConfig({ members: 2, lambda1: 0.05 })
  const options = { members: 1, noise: 0.1, width: 4, stem_stride: 2, channels: 1, classes: 10, seed: 0 }
  const model = await worker().model('enresnet8', options)
  expect(model.parameters(['conv', 'downsample'])).toHaveLength(9)
  const data = await worker().data('fashion_mnist_subset', { split: 'train' })
  const work = openWork({ session: worker(), model, data, config, validation: [] })
  const step = work.step(8)
  step(worker().put(new BigInt64Array(8), [8]), int(0), 0.1)
  const expected = [
    'narrow (index_select) x 2', // the images of the epoch's order
    'rand_like mul sub add', // a random point of the ball, not clamped
    'repeat leaf call cross_entropy sum grad sign mul add sub add (clamp) x 2 next', // PGD
    'call cross_entropy (square sum add sqrt sum mul add) x 9', // loss + lambda2 * group lasso
    'grad (sub mul mul sub) x 9 (assign) x 9', // w - lr * beta * (w - u)
    'optimizer_step (norm gt where) x 9 (assign) x 9', // u = prox(w)
    'detach mul add assign argmax eq sum add assign return', // sums for the epoch's metrics
  ]
  expect(outline(String(step)).join(' ')).toBe(expected.join(' '))
  await worker().barrier()
  work.close()
})
