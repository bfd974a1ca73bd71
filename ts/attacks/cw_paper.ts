/**
 * The C&W attack of the published tables (EnResNet code, papers A to C), not the one of Carlini & Wagner, 1608.04644:
 *   minimise  c * max(z_p - z_r + kappa, 0)  with Adam on the image
 * where p is the net's own prediction on the clean image and r the runner-up.
 * The image of the lowest loss is returned, without projection or image box. Since p is not the label, images that the
 * net gets wrong can become right.
 * The published code adds ||x - clean||^2, but both tensors shared their storage, so the term stayed 0: `l2` switches
 * it on.
 * The published code runs one image at a time; batches change only the scale of whole-tensor noise.
 */
import { pow, sub } from '../tensor/functions'
import type { Attack, Tree } from '../tensor/kinds'
import { expectNumber } from '../tensor/options'
import type { Tensor } from '../tensor/tensor'

export interface Options {
  /** The weight of the hinge. */
  readonly c?: number
  /** The confidence margin kappa, in logits. */
  readonly kappa?: number
  readonly iterations?: number
  /** The learning rate of Adam, on the [0, 1] image scale. */
  readonly lr?: number
  /** Adds ||x - clean||^2 to the loss. */
  readonly l2?: boolean
  /** The share of the perturbation that is kept; the published script multiplies by it. */
  readonly factor?: number
}

const BETA1 = 0.9
const BETA2 = 0.999
const ADAM_EPSILON = 1e-8

/** Sums over the pixels of each image, `[batch]`. */
const perImage = (x: Tensor): Tensor => x.sum({ dim: [1, 2, 3] })

/** Adam's moments, and the best image with its loss `[batch]`. */
export interface State {
  readonly [name: string]: Tree
  readonly m: Tensor
  readonly v: Tensor
  readonly best: Tensor
  readonly lowest: Tensor
}

export default ({ c = 10, kappa = 0, iterations = 50, lr = 6e-4, l2 = false, factor = 1 }: Options = {}) => {
  expectNumber('c', c, { least: 0 })
  expectNumber('kappa', kappa, { least: 0 })
  expectNumber('iterations', iterations, { least: 1, integer: true })
  expectNumber('lr', lr, { least: 0 })
  expectNumber('factor', factor, { least: 0, most: 1 })
  return {
    iterations,
    start: 'clean',
    within: 'none',
    /** Predicted class and runner-up, `[batch, 2]`. */
    context: (logits) => logits.topk(2, { dim: 1 })[1],
    loss(logits, _y, classes) {
      const pair = logits.gather(1, classes)
      return pair.select(1, 0).sub(pair.select(1, 1)).add(kappa).relu().mul(-c)
    },
    init: (x) => ({
      m: x.zerosLike(),
      v: x.zerosLike(),
      best: x,
      lowest: perImage(x).fullLike(Infinity),
    }),
    step(x, ascent, { clean, loss, state, index }) {
      const change = x.sub(clean)
      const gradient = l2 ? change.mul(2).sub(ascent) : ascent.neg()
      const total = l2 ? perImage(change.square()).sub(loss) : loss.neg()
      const better = total.lt(state.lowest)
      const m = state.m.mul(BETA1).add(gradient.mul(1 - BETA1))
      const v = state.v.mul(BETA2).add(gradient.square().mul(1 - BETA2))
      const t = index.add(1).to('float64')
      const correction = (beta: number): Tensor => sub(1, pow(beta, t))
      const size = m.div(correction(BETA1)).div(v.div(correction(BETA2)).sqrt().add(ADAM_EPSILON))
      return {
        x: x.sub(size.mul(lr)),
        state: {
          m,
          v,
          best: x.where(better.reshape([-1, 1, 1, 1]), state.best),
          lowest: total.where(better, state.lowest),
        },
      }
    },
    finish: (_x, { clean, state }) => (factor === 1 ? state.best : clean.add(state.best.sub(clean).mul(factor))),
  } satisfies Attack<State, Tensor>
}
