/**
 * The shapes of the things that users of feynkac write: penalties, splitting methods, attacks, threats, losses and schedules.
 * All of them are plain functions over symbolic tensors; none knows the wire or Python.
 */
import type { Tensor } from './tensor'

/** A literal baked into the plan, or a 0-d tensor that may change from run to run. */
export type Scalar = number | Tensor

/** Symbolic tensors in arrays and plain objects: what a plan takes and gives. */
export type Tree = Tensor | readonly Tree[] | { readonly [key: string]: Tree }

/** Images `[batch, channels, height, width]` in [0, 1] to logits `[batch, classes]`; mode, noise and generator are already chosen. */
export type Network = (x: Tensor) => Tensor

/** A regulariser f with its proximal map. Both treat one parameter tensor at a time, except for `proxAll`. */
export interface Penalty {
  /** f(w), a 0-d tensor. */
  value(w: Tensor): Tensor
  /** argmin over y of f(y) + ||y - w||^2 / (2 gamma), of the shape of w. In the splitting methods gamma = 1 / beta. */
  prox(w: Tensor, gamma: Scalar): Tensor
  /** prox over all parameter tensors together, where f couples them; `prox` of each when absent. */
  proxAll?(w: readonly Tensor[], gamma: Scalar): Tensor[]
}

/** A relaxed splitting method: pure functions, the state goes in and comes out. */
export interface Splitting<S extends Tree = Tree> {
  /** The state before the first batch. */
  init(w: readonly Tensor[]): S
  /** The weights after the pull of the quadratic term towards the state, decoupled from the optimiser; lr is the learning rate. */
  pull(w: readonly Tensor[], state: S, lr: Scalar): Tensor[]
  /** A 0-d term of the training loss instead of a pull, so that its gradient goes through the optimiser; none when absent. */
  loss?(w: readonly Tensor[], state: S): Tensor
  /** The state after the optimiser's step. */
  step(w: readonly Tensor[], state: S): S
  /** The state after the last batch of an epoch, before `replace`; it stays when absent. */
  renew?(w: readonly Tensor[], state: S): S
  /** The weights that replace w at the end of an epoch. */
  replace(w: readonly Tensor[], state: S): Tensor[]
  /**
   * True: `replace` gives only what an epoch is validated and saved with, with BatchNorm statistics measured for it, and
   * training goes on from w. It goes on from the replacement when absent.
   */
  readonly aside?: boolean
}

/** What an attack's step sees besides the image and the gradient. */
export interface AttackView<S extends Tree> {
  /** The clean images `[batch, channels, height, width]`. */
  readonly clean: Tensor
  /** The attack's loss at the current images, `[batch]`. */
  readonly loss: Tensor
  /** What `init` or the step before gave; an empty array when the attack has none. */
  readonly state: S
  /** The iteration, a 0-d int64 tensor from 0. */
  readonly index: Tensor
}

/** An attack: the author writes only the step; ball, image box, random start and iteration belong to the caller (`craft`). */
export interface Attack<S extends Tree = Tree, C extends Tree = Tree> {
  /** How many times `step` runs. */
  readonly iterations: number
  /** Where the first iterate lies: at the clean image, or uniformly in the threat's ball (not clamped to the image box). */
  readonly start: 'clean' | 'random'
  /** `threat`: every iterate is projected by the caller. `none`: the attack is unconstrained (C&W). */
  readonly within: 'threat' | 'none'
  /** Computed once from the logits of the clean images, for example the classes that C&W trades. */
  context?(logits: Tensor, y: Tensor): C
  /** What the attack increases, `[batch]`; cross-entropy to the label when absent. */
  loss?(logits: Tensor, y: Tensor, context: C): Tensor
  /** The state before the first step, made from the first iterate. */
  init?(x: Tensor): S
  /** The next images (before projection), with the next state where the attack has one. */
  step(x: Tensor, gradient: Tensor, view: AttackView<S>): Tensor | { x: Tensor; state: S }
  /** The images that the attack returns, when not the last iterate. */
  finish?(x: Tensor, view: { readonly clean: Tensor; readonly state: S }): Tensor
}

/** What a perturbation may be: the set around a clean image. */
export interface Threat {
  /** The size of the ball on the [0, 1] image scale. */
  readonly epsilon: number
  /** The size as it is printed, such as `8/255` or `0.031`. */
  readonly notation: string
  /** A random point of the ball, not clamped to the image box; `draw` is uniform on [0, 1), of the shape of `clean`. */
  start(clean: Tensor, draw: Tensor): Tensor
  /** The closest admissible image: in the ball around `clean` and in the image box. */
  project(x: Tensor, clean: Tensor): Tensor
}

/** A training loss: a 0-d tensor from the network, the clean and the adversarial images, and the labels `[batch]`. */
export type Loss = (net: Network, clean: Tensor, adversarial: Tensor, y: Tensor) => Tensor

/** Step count, from 0, to a number such as the learning rate. */
export type Schedule = (step: number) => number
