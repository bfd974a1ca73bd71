/**
 * C&W-L2 (Carlini & Wagner, arXiv 1608.04644, section VI-A), untargeted: for each image the closest one that the net
 * does not give the label,
 *   minimise  ||x - clean||^2 + c * max(z_y - max over i != y of z_i + kappa, 0),   x = (tanh(w) + 1) / 2
 * with Adam on w, so that x stays in [0, 1], and a binary search for c: tenfold until a search succeeds, then halfway
 * between the largest c that failed and the smallest that succeeded. Every success counts, the closest is kept; an image
 * without one comes back clean. Images with another label from the start are their own answer, at distance 0.
 * Each image has its own c, moments and answer, so batch mates change nothing (unless the network couples them).
 * The authors' code runs 10,000 iterations a search, and stops early when the whole batch stalls; here there is no stop.
 */
import { pow, sub } from '../tensor/functions'
import type { Attack, Tree } from '../tensor/kinds'
import { expectNumber } from '../tensor/options'
import type { Tensor } from '../tensor/tensor'

export interface Options {
  /** The first weight of the hinge. */
  readonly c?: number
  /** How many weights are tried. */
  readonly searches?: number
  /** Steps of Adam for each weight. */
  readonly iterations?: number
  /** The learning rate of Adam, on w. */
  readonly lr?: number
  /** The margin kappa that counts as a success, in logits. */
  readonly kappa?: number
  /** Successes farther away than this (l2, [0, 1] image scale) come back clean: what is then still right is robust. */
  readonly bound?: number
}

/** Keeps atanh finite at black and white pixels, as the authors do. */
const INSIDE = 1 - 1e-6
const BETA1 = 0.9
const BETA2 = 0.999
const ADAM_EPSILON = 1e-8

const squares = (x: Tensor): Tensor => x.square().sum({ dim: [1, 2, 3] })
const overPixels = (perImage: Tensor): Tensor => perImage.reshape([-1, 1, 1, 1])

/** Pixels and their moments are `[batch, channels, height, width]`, the others `[batch]`. */
export interface State {
  readonly [name: string]: Tree
  readonly w: Tensor
  /** The w of the clean image: where every search starts. */
  readonly first: Tensor
  readonly m: Tensor
  readonly v: Tensor
  readonly c: Tensor
  /** The largest c that failed (0 before one does), and the smallest that succeeded (infinite before one does). */
  readonly failed: Tensor
  readonly succeeded: Tensor
  /** Whether the search under way has met a success. */
  readonly found: Tensor
  readonly best: Tensor
  /** The squared distance of the closest success; infinite without one. */
  readonly closest: Tensor
}

export default ({
  c: firstWeight = 1e-3,
  searches = 9,
  iterations = 1000,
  lr = 0.01,
  kappa = 0,
  bound = Infinity,
}: Options = {}) => {
  expectNumber('c', firstWeight, { least: 0, open: true })
  expectNumber('searches', searches, { least: 1, integer: true })
  expectNumber('iterations', iterations, { least: 1, integer: true })
  expectNumber('lr', lr, { least: 0 })
  expectNumber('kappa', kappa, { least: 0 })
  if (bound !== Infinity) expectNumber('bound', bound, { least: 0 })
  return {
    iterations: searches * iterations,
    start: 'clean',
    within: 'none',
    /** 1 at the label: what keeps it out of the maximum over the other classes, `[batch, classes]`. */
    context: (logits, y) => logits.zerosLike().scatter(1, y.unsqueeze(1), 1),
    /** By how much another class lies above the label. */
    loss(logits, _y, label) {
      const others = logits.where(label.eq(0), -Infinity).amax({ dim: [1] })
      return others.sub(logits.mul(label).sum({ dim: [1] }))
    },
    init(clean) {
      const first = clean.mul(2).sub(1).mul(INSIDE).atanh()
      const none = squares(clean).fullLike(Infinity)
      return {
        w: first,
        first,
        m: clean.zerosLike(),
        v: clean.zerosLike(),
        c: none.fullLike(firstWeight),
        failed: none.zerosLike(),
        succeeded: none,
        found: none.zerosLike(),
        best: clean,
        closest: none,
      }
    },
    step(x, ascent, { clean, loss, state, index }) {
      const distance = squares(x.sub(clean))
      const success = loss.gt(0).logicalAnd(loss.ge(kappa))
      const closer = success.logicalAnd(distance.lt(state.closest))
      const found = state.found.maximum(success.to('float32'))

      // The slope of x in w is (1 - tanh(w)^2) / 2; the hinge is flat once the margin is reached.
      const hinge = ascent.mul(overPixels(state.c.where(loss.le(kappa), 0)))
      const slope = sub(1, state.w.tanh().square()).div(2)
      const gradient = x.sub(clean).mul(2).sub(hinge).mul(slope)
      const m = state.m.mul(BETA1).add(gradient.mul(1 - BETA1))
      const v = state.v.mul(BETA2).add(gradient.square().mul(1 - BETA2))
      const position = index.remainder(iterations)
      const correction = (beta: number): Tensor => sub(1, pow(beta, position.add(1).to('float64')))
      const size = m.div(correction(BETA1)).div(v.div(correction(BETA2)).sqrt().add(ADAM_EPSILON))
      const moved = state.w.sub(size.mul(lr))

      const last = position.eq(iterations - 1)
      const next = nextWeight({ ...state, found })
      return {
        x: clean.where(last, moved.tanh().add(1).div(2)),
        state: {
          w: state.first.where(last, moved),
          first: state.first,
          m: m.zerosLike().where(last, m),
          v: v.zerosLike().where(last, v),
          c: next.c.where(last, state.c),
          failed: next.failed.where(last, state.failed),
          succeeded: next.succeeded.where(last, state.succeeded),
          found: found.zerosLike().where(last, found),
          best: x.where(overPixels(closer), state.best),
          closest: distance.where(closer, state.closest),
        },
      }
    },
    finish: (_x, { clean, state }) =>
      bound === Infinity ? state.best : state.best.where(overPixels(state.closest.le(bound ** 2)), clean),
  } satisfies Attack<State, Tensor>
}

/** The binary search after one of its steps. */
function nextWeight({ c, found, failed, succeeded }: Pick<State, 'c' | 'found' | 'failed' | 'succeeded'>) {
  const success = found.gt(0)
  const low = c.where(success.logicalNot(), failed)
  const high = c.where(success, succeeded)
  const halfway = low.add(high).div(2)
  return { c: halfway.where(high.isfinite(), c.mul(10)), failed: low, succeeded: high }
}
