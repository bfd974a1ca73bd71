/**
 * One training step as one plan (paper A, arXiv 2003.00631, Algorithms 1 and 2, in the order of the released code):
 *   images by the epoch's order, augmented; adversarial images; loss + lambda2 * group lasso; gradients;
 *   w <- w - lr * beta * (w - u);  the optimiser's step;  u <- prox(w)
 */
import pgd from '../attacks/pgd'
import { craft } from '../threats/shared/craft'
import linf from '../threats/linf'
import groupLasso from '../penalties/group_lasso'
import { assign, grad, use } from '../tensor/functions'
import type { Network } from '../tensor/kinds'
import { plan } from '../tensor/plan'
import type { DeviceTensor } from '../tensor/device_tensor'
import type { Generator } from '../tensor/generator'
import type { Model } from '../tensor/model'
import type { Optimizer } from '../tensor/optimizer'
import type { Session } from '../tensor/session'
import type { Tensor } from '../tensor/tensor'
import { augment, type Size } from './augment'
import type { Averaging } from './averaging'
import type { TrainConfig } from './config'
import { makeMethod } from './registry'
import type { SplittingRun } from './splitting'

/** What lives on the worker during training. */
export interface TrainParts {
  readonly session: Session
  readonly model: Model
  readonly images: DeviceTensor
  readonly labels: DeviceTensor
  readonly size: Size
  readonly optimizer: Optimizer
  /** Augmentation, random starts and the network's noise draw from it. */
  readonly generator: Generator
  /** The convolution weights, in the model's order. */
  readonly convolutions: readonly DeviceTensor[]
  /** The splitting method and its state; null without one. */
  readonly splitting: SplittingRun | null
  /** The averages of the weights; null without them. */
  readonly averaging: Averaging | null
  /** Sums over the images of an epoch, 0-d: loss (float64) and right answers (int64). */
  readonly sums: { readonly loss: DeviceTensor; readonly correct: DeviceTensor }
}

/**
 * The plan of one step: (order `[n]` int64, first position in it, learning rate, and the share that a run with a target
 * wants after it) => nothing; everything it changes lives in slots.
 */
export function trainingStep(parts: TrainParts, config: TrainConfig, batch: number) {
  const loss = makeMethod('losses', config.loss.name, config.loss.options)
  return plan(
    'training step',
    (order: Tensor, start: Tensor, lr: Tensor, ...wanted: Tensor[]) => {
      const index = order.narrow(0, start, batch)
      const y = use(parts.labels).indexSelect(0, index)
      const picked = use(parts.images).indexSelect(0, index)
      const clean = augment(picked, y, { ...config.augment, size: parts.size, generator: parts.generator })
      const adversarial = adversarialImages(parts, config, clean, y)

      let logits: Tensor | undefined
      const network: Network = (x) => (logits = parts.model.call(x, { mode: 'train', generator: parts.generator }))
      const fit = loss(network, clean, adversarial, y)
      update(parts, config, fit, lr, ...wanted)
      parts.averaging?.update()
      addToSums(parts.sums, fit, logits, y, batch)
    },
    { session: parts.session },
  )
}

function adversarialImages({ model, generator }: TrainParts, config: TrainConfig, clean: Tensor, y: Tensor): Tensor {
  if (config.attack === null) return clean
  const { mode, clampStart, ...options } = config.attack
  const network: Network = (x) => model.call(x, { mode, generator })
  return craft({ attack: pgd(options), threat: linf(config.threat), network, clean, y, generator, clampStart })
}

function update(
  { model, optimizer, convolutions, splitting }: TrainParts,
  config: TrainConfig,
  fit: Tensor,
  lr: Tensor,
  wanted?: Tensor,
): void {
  const loss = withGroupLasso(fit, convolutions, config.lambda2)
  const gradients = grad(splitting?.addLoss(loss, wanted) ?? loss, model.parameters())
  if (splitting === null) {
    optimizer.step(gradients, lr)
    return
  }
  splitting.pull(lr, wanted)
  optimizer.step(gradients, lr)
  splitting.step(wanted)
}

/** The loss of RGSM, fit + lambda2 * ||w||_GL over all convolutions (paper A, Algorithm 2). */
function withGroupLasso(fit: Tensor, convolutions: readonly DeviceTensor[], lambda2: number): Tensor {
  if (lambda2 === 0) return fit
  const { value } = groupLasso({ lambda: lambda2 })
  return use(convolutions).reduce((sum, w) => sum.add(value(w)), fit)
}

/** The logits are those of the loss's last pass through the network: the adversarial one in adversarial training. */
function addToSums(sums: TrainParts['sums'], fit: Tensor, logits: Tensor | undefined, y: Tensor, batch: number): void {
  assign(sums.loss, use(sums.loss).add(fit.detach().mul(batch)))
  if (logits === undefined) return
  assign(sums.correct, use(sums.correct).add(logits.argmax({ dim: 1 }).eq(y).sum()))
}
