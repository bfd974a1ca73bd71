/**
 * Every file of the folder: no candidate has a smaller f(y) + ||y - w||^2 / (2 gamma) than y = prox(w, gamma).
 * Objectives are compared, since for l0 keeping and zeroing are both stationary: a subgradient test accepts wrong
 * thresholds.
 */
import { plan } from '../../ts/tensor/plan'
import type { Penalty } from '../../ts/tensor/kinds'
import type { Tensor } from '../../ts/tensor/tensor'
import type { DeviceTensor } from '../../ts/tensor/device_tensor'
import { makeMethod, methodNames } from '../../ts/training/registry'
import { uniform } from '../support/draws'
import { numbers, useWorker } from '../support/worker'

const worker = useWorker()
const SHAPE = [3, 5, 2, 2]
const ENTRIES = 60
const DRAWS = 12

const channelOf = (entry: number): number => Math.floor(entry / 4) % 5

/** Weights with channels of very different norms; the last one is zero. */
function weights(draw: number): number[] {
  const sizes = uniform(draw + 1000, 5, 0, 0.8)
  return Array.from(uniform(draw, ENTRIES, -1, 1), (x, i) =>
    channelOf(i) === 4 ? 0 : Math.fround(x * sizes[channelOf(i)]!),
  )
}

/** 0, w, sign flips, single channels and entries zeroed or restored, and small random steps. */
function candidates(w: readonly number[], p: readonly number[], draw: number): number[][] {
  const channels = [0, 1, 2, 3, 4]
  const entries = [0, 7, 13, 22, 31, 40, 49, 58]
  const steps = [0.001, 0.01, 0.1].map((size, k) => uniform(draw + 2000 + k, ENTRIES, -size, size))
  return [
    w.map(() => 0),
    [...w],
    w.map((x) => -x),
    p.map((x) => -x),
    ...channels.flatMap((c) => [
      p.map((x, i) => (channelOf(i) === c ? 0 : x)),
      p.map((x, i) => (channelOf(i) === c ? w[i]! : x)),
    ]),
    ...entries.flatMap((e) => [p.map((x, i) => (i === e ? 0 : x)), p.map((x, i) => (i === e ? w[i]! : x))]),
    ...steps.map((step) => p.map((x, i) => x + step[i]!)),
    p.map((x) => 0.99 * x),
    p.map((x) => 1.01 * x),
  ]
}

const put = (values: readonly number[]): DeviceTensor => worker().put(Float32Array.from(values), SHAPE)

/** The largest amount by which a candidate beats the prox, over all draws. */
async function largestGain(make: (lambda: number) => Penalty): Promise<number> {
  let worst = -Infinity
  for (let draw = 0; draw < DRAWS; draw++) {
    const lambda = uniform(draw + 3000, 1, 0.02, 0.6)[0]!
    const gamma = uniform(draw + 4000, 1, 0.2, 2.5)[0]!
    const penalty = make(lambda)
    const prox = plan('prox', (w: Tensor) => penalty.prox(w, gamma), { session: worker() })
    const objective = plan(
      'objective',
      (y: Tensor, w: Tensor) =>
        penalty
          .value(y)
          .to('float64')
          .add(
            y
              .sub(w)
              .to('float64')
              .square()
              .sum()
              .div(2 * gamma),
          ),
      { session: worker() },
    )
    const w = weights(draw)
    const handle = put(w)
    const p = await numbers(prox(handle))
    const values = [p, ...candidates(w, p, draw)].map((y) => objective(put(y), handle))
    const [best, ...others] = await worker().items(values)
    worst = Math.max(worst, ...others.map((other) => best! - other))
    expect(await numbers(handle)).toEqual(w)
  }
  return worst
}

/** The smoothing of a norm, sqrt(s + 1e-8), moves an objective by up to 1e-4 a channel; float32 by less. */
const TOLERANCE = 5e-4

/** What a penalty is made from besides lambda: indicators of sets have a share of zeros instead, and know no price. */
const SETS = ['sparse_channels', 'sparse_weights']

describe.each(methodNames('penalties'))('%s', (name) => {
  const [option, range] = SETS.includes(name) ? ['share', /\[0, 1\]/] : ['lambda', /\[0, Infinity\)/]
  const make = (value: number | Tensor): Penalty => makeMethod('penalties', name, { [option]: value })

  test.each([-0.1, NaN, Infinity, '0.1', undefined])('refuses %p', (value) => {
    expect(() => make(value as number)).toThrow(
      new RegExp(`^Expected \`${option}\` to be a number in ${range.source}, got \``),
    )
  })

  test('0 is the identity, also at zero channels', async () => {
    const identity = plan('identity', (w: Tensor) => make(0).prox(w, 0.7), { session: worker() })
    const w = weights(5)
    expect(await numbers(identity(put(w)))).toEqual(w)
  })

  test('no candidate has a smaller objective than prox', async () => {
    expect(await largestGain(make)).toBeLessThan(TOLERANCE)
  })

  test(`${option} may be a literal or change from run to run`, async () => {
    const handle = put(weights(8))
    const literal = plan('literal', (w: Tensor) => make(0.2).prox(w, 0.5), { session: worker() })
    const expected = await numbers(literal(handle))
    const runtime = plan('runtime', (w: Tensor, value: Tensor) => make(value).prox(w, 0.5), { session: worker() })
    const both = plan('both', (w: Tensor, value: Tensor, gamma: Tensor) => make(value).prox(w, gamma), {
      session: worker(),
    })
    for (const found of [runtime(handle, 0.2), both(handle, 0.2, 0.5)]) {
      ;(await numbers(found)).forEach((entry, i) => expect(entry).toBeCloseTo(expected[i]!, 6))
    }
  })

  test('gamma may be a literal or change from run to run', async () => {
    const literal = plan('literal', (w: Tensor) => make(0.2).prox(w, 0.5), { session: worker() })
    const runtime = plan('runtime', (w: Tensor, gamma: Tensor) => make(0.2).prox(w, gamma), { session: worker() })
    const handle = put(weights(6))
    const [a, b] = [await numbers(literal(handle)), await numbers(runtime(handle, 0.5))]
    a.forEach((value, i) => expect(value).toBeCloseTo(b[i]!, 6))
  })
})

test('the comparison rejects the threshold lambda * gamma, which a published library uses for l0', async () => {
  const wrong = (lambda: number): Penalty => ({
    value: (w) => w.ne(0).sum().to('float32').mul(lambda),
    prox: (w, gamma) => w.where(w.abs().gt(lambda * (gamma as number)), 0),
  })
  expect(await largestGain(wrong)).toBeGreaterThan(20 * TOLERANCE)
})
