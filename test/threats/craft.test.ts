/** What the caller of an attack guarantees, whatever the attack does. */
import type { Attack } from '../../ts/tensor/kinds'
import linf from '../../ts/threats/linf'
import { useWorker } from '../support/worker'
import { linear } from '../attacks/linear'
import { attacked } from '../attacks/run'

const worker = useWorker()

/** An attack that leaves ball and box in every step. */
const rude = (start: Attack['start']): Attack => ({
  iterations: 2,
  start,
  within: 'threat',
  step: (x, _gradient, { state }) => ({ x: x.add(5), state }),
})

test('an attack that leaves the ball is put back', async () => {
  const model = linear(worker(), 21)
  const images = await attacked({ session: worker(), model, attack: rude('clean'), threat: linf({ epsilon: 0.125 }) })
  images.flat().forEach((pixel, i) => expect(pixel).toBeCloseTo(Math.min(model.images.flat()[i]! + 0.125, 1), 6))
})

/** Keeps the first image that a gradient was taken at. */
const keepsFirst: Attack = {
  iterations: 1,
  start: 'random',
  within: 'none',
  step: (x, _gradient, { state }) => ({ x, state }),
}

test('the random start leaves the image box as in the published code, unless it is clamped', async () => {
  const model = linear(worker(), 22)
  const run = (clampStart: boolean): Promise<number[][]> =>
    attacked({ session: worker(), model, attack: keepsFirst, threat: linf({ epsilon: 0.5 }), clampStart })
  const [free, clamped] = [(await run(false)).flat(), (await run(true)).flat()]
  expect(free.filter((pixel) => pixel < 0 || pixel > 1).length).toBeGreaterThan(3)
  expect(clamped).toEqual(free.map((pixel) => Math.min(Math.max(pixel, 0), 1)))
})

test('step sees the clean images, the loss of each image, its state and the iteration', async () => {
  const model = linear(worker(), 23)
  const counting: Attack<{ sum: import('../../ts/tensor/tensor').Tensor }> = {
    iterations: 4,
    start: 'clean',
    within: 'none',
    init: (x) => ({ sum: x.zerosLike() }),
    // 0 + 1 + 2 + 3 = 6, and the loss is positive for every image.
    step: (x, _gradient, { clean, loss, state, index }) => ({
      x,
      state: { sum: state.sum.add(index.mul(loss.gt(0).reshape([-1, 1, 1, 1]))).add(x.sub(clean)) },
    }),
    finish: (x, { clean, state }) => x.sub(clean).add(state.sum),
  }
  const images = await attacked({
    session: worker(),
    model,
    attack: counting,
    threat: linf({ epsilon: 0 }),
  })
  expect(images.flat()).toEqual(images.flat().map(() => 6))
})
