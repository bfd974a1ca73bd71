/** What a training run is: plain JSON, so that it can be hashed, stored beside the results and compared. */
import type { Readings } from '../splitting/shared/readings'
import { expectNumber, expectOneOf } from '../tensor/options'

/** All constants of a training run. */
export interface TrainConfig {
  /** A name and options of the model registry; of a compact network those of the dense one. */
  readonly network: { readonly name: string; readonly options: Readonly<Record<string, unknown>> }
  /** The checkpoint that the run begins with (`warmStart`); left out, never null, with fresh weights. */
  readonly initial?: { readonly sha256: string }
  readonly epochs: number
  readonly batchSize: number
  /** Leaves out the last batch of an epoch when it is not full. */
  readonly dropLast: boolean
  readonly optimiser: {
    readonly lr: number
    readonly momentum: number
    readonly nesterov: boolean
    /** On all parameters. */
    readonly weightDecay: number
    /** The published code makes a new optimiser each epoch. */
    readonly resetMomentumEachEpoch: boolean
  }
  /** The learning rate over epochs; breakpoints are fractions of all epochs. */
  readonly schedule:
    | { readonly kind: 'constant' }
    | { readonly kind: 'multistep'; readonly breakpoints: readonly number[]; readonly factor: number }
    | { readonly kind: 'linear'; readonly to: number }
  readonly threat: { readonly epsilon: number; readonly notation: string }
  /** The attack inside training; null trains on the clean images. */
  readonly attack: TrainAttack | null
  /** A file of `ts/losses`. */
  readonly loss: { readonly name: string; readonly options?: Readonly<Record<string, unknown>> }
  readonly splitting: SplittingConfig
  /** The weight of the group-lasso term over all convolutions in the loss (paper A's lambda2). */
  readonly lambda2: number
  /** Random crop after padding by `crop` pixels of zeros (0: none), and random horizontal flip. */
  readonly augment: { readonly crop: number; readonly flip: boolean }
  /** How many images to train on, from the seed's order after the validation images; null takes all. */
  readonly images: number | null
  readonly validation: {
    /** Images set aside from the training split, by the seed. */
    readonly count: number
    /** Which epoch's weights the run ends with: best adversarial validation accuracy, or the last. */
    readonly selection: 'best' | 'last'
    /** The attack of the selection (evaluation mode, noise on). */
    readonly attack: StepAttack
  }
  /** Ends with an exponential moving average of the weights; left out, never null, without one. */
  readonly averaging?: { readonly decay: number }
  /** Steers the splitting method to a share of zero channels; left out, never null, without one. */
  readonly target?: ChannelTarget
  readonly seed: number
  /** The worker's threads: other counts give other bits. Null leaves it to the session. */
  readonly threads: number | null
}

/** Sign steps in the l-infinity ball. */
export interface StepAttack {
  readonly stepSize: number
  readonly iterations: number
  readonly randomStart: boolean
}

/** The training attack with the quirks of the published code (paper A) as options. */
export interface TrainAttack extends StepAttack {
  /**
   * BatchNorm during the attack; `train` in the published code: batch statistics, running ones updated by every pass.
   */
  readonly mode: 'train' | 'eval'
  /** Puts the random start into the image box before the first gradient; false in the published code. */
  readonly clampStart: boolean
}

/** The splitting method of a run; `none` trains without one. */
export type SplittingConfig =
  | { readonly kind: 'none' }
  | {
      /** A file of `ts/splitting`. */
      readonly kind: string
      readonly beta: number
      /** A file of `ts/penalties` with its options. */
      readonly penalty: { readonly name: string; readonly options: Readonly<Record<string, unknown>> }
      /** What else the method takes, such as `coupled` of RVSM; left out, never null, without any. */
      readonly options?: Readonly<Record<string, unknown>>
    }

/** How many channels a run is to prune, instead of a fixed lambda. */
export interface ChannelTarget {
  /** The share of zero input channels over all convolutions. */
  readonly channels: number
  /**
   * The wanted share grows along a cubic. `lambda`: lambda is adapted until the measured share follows it, from the value
   * in the penalty's options. `cubic`: the weights are projected onto it (Zhu & Gupta, arXiv 1710.01878).
   */
  readonly by: 'lambda' | 'cubic'
  /** The part of the epochs, in (0, 1], after which the share is to be reached. */
  readonly until: number
  /** Epochs that miss the share by at most this are chosen from by validation; of others the closest. */
  readonly tolerance: number
}

/** RVSM of paper A: l0 on single weights; `lambda` is the paper's. */
export const rvsm = ({ beta, lambda, ...readings }: { beta: number; lambda: number } & Readings): SplittingConfig => ({
  kind: 'rvsm',
  beta,
  penalty: { name: 'l0', options: { lambda } },
  ...optionsOf(readings),
})

/** RGSM of paper A: group l0 on input channels; `lambda1` is the paper's. */
export const rgsm = ({
  beta,
  lambda1,
  ...readings
}: { beta: number; lambda1: number } & Readings): SplittingConfig => ({
  kind: 'rgsm',
  beta,
  penalty: { name: 'group_l0', options: { lambda: lambda1 } },
  ...optionsOf(readings),
})

/** Only what is true: the configuration of the released code has no such section. */
function optionsOf({ coupled = false, aside = false }: Readings): { options?: Readonly<Record<string, boolean>> } {
  return coupled || aside ? { options: { ...(coupled && { coupled }), ...(aside && { aside }) } } : {}
}

/** How a run reaches a share of zero channels. */
export interface TargetOptions extends Readings {
  readonly beta: number
  /** The share of zero input channels over all convolutions, in [0, 1]. */
  readonly channels: number
  /** See {@link ChannelTarget}. */
  readonly by: ChannelTarget['by']
  /** Where lambda starts, by `lambda`; 0.01 when absent. */
  readonly lambda1?: number
  /** 0.75 when absent: the rest of the epochs trains with the share. */
  readonly until?: number
  /** 0.02 when absent. */
  readonly tolerance?: number
}

/** RGSM that ends with a share of zero input channels: the two sections of a configuration that say so. */
export function channelTarget(options: TargetOptions): Required<Pick<TrainConfig, 'splitting' | 'target'>> {
  const { beta, channels, by, lambda1 = 0.01, until = 0.75, tolerance = 0.02, ...readings } = options
  const set = { name: 'sparse_channels', options: { share: channels, within: 'network' } }
  return {
    splitting:
      by === 'lambda'
        ? rgsm({ beta, lambda1, ...readings })
        : { kind: 'rgsm', beta, penalty: set, ...optionsOf(readings) },
    target: { channels, by, until, tolerance },
  }
}

/** What ADMM is asked for. */
export interface AdmmOptions {
  /** The weight of the quadratic term; 1e-2 in paper A's code. */
  readonly rho: number
  /** Zeros in every convolution, in percent: 50 and 80 in paper A's code. */
  readonly percent: number
  /** Zero weights, or whole input channels. */
  readonly of: 'weights' | 'channels'
  /**
   * `correct` (when absent): magnitudes, duals kept, zeros that are real. `paper`: as in paper A's released code, with its
   * percentile of signed weights, its duals that start again at each epoch, and no projection at the end.
   */
  readonly variant?: 'correct' | 'paper'
}

/** ADMM with a share of zeros in every convolution: the baseline of paper A, done correctly or as it was published. */
export function admm({ rho, percent, of, variant = 'correct' }: AdmmOptions): SplittingConfig {
  const paper = expectOneOf('variant', variant, ['correct', 'paper']) === 'paper'
  const set = expectOneOf('of', of, ['weights', 'channels'])
  expectNumber('percent', percent, { least: 0, most: 100 })
  return {
    kind: paper ? 'admm_paper' : 'admm',
    beta: rho,
    penalty: { name: `sparse_${set}`, options: { share: percent / 100, ...(paper && { rule: 'paper' }) } },
  }
}

/** Whether a run splits its weights. */
export const splits = (splitting: SplittingConfig): splitting is Exclude<SplittingConfig, { kind: 'none' }> =>
  splitting.kind !== 'none'
