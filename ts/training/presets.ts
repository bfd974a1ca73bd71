/**
 * The presets of `feynkac reproduce`: with which constants, on which data the rows of a published table are run. Which
 * rows those are, the table says. A preset that only shortens the published schedule prunes nothing, since weight decay
 * has to shrink channel norms from sqrt(2) below sqrt(2 lambda1 / beta): `weightDecaySupply` >= 2 holds for every
 * preset, and a test asserts it.
 */
import { expectOneOf } from '../tensor/options'
import type { TrainConfig } from './config'

/** Constants of the test attacks that belong to a preset. */
export interface EvaluationSettings {
  readonly epsilon: number
  readonly notation: string
  /** The step of IFGSM20. */
  readonly stepSize: number
  readonly batch: number
  /** Images of the test split that are attacked, evenly spread over it; null takes all. */
  readonly limit: number | null
}

/** The data sets of the published tables. */
export type PublishedData = 'CIFAR10' | 'CIFAR100'

/** What a preset trains on where the paper has one of its data sets. */
export interface PresetData {
  readonly name: string
  /** Size of the training split. */
  readonly images: number
  /** Options that every network gets, so that it fits the images. */
  readonly network: Readonly<Record<string, unknown>>
}

/** What tells the training runs of a preset apart. */
export type Cell = Pick<TrainConfig, 'network' | 'splitting' | 'lambda2'>

/** The constants that the training runs of a preset share. */
export interface Preset {
  readonly name: string
  /** One sentence: what it costs and how it differs from the paper. */
  readonly description: string
  /** The single network in the place of ResNet20. */
  readonly network: string
  readonly data: Readonly<Record<PublishedData, PresetData>>
  readonly evaluation: EvaluationSettings
  /**
   * The weight of ADMM's quadratic term: 1e-2 in the published script. Shorter schedules have a larger one, so that the
   * sum of rho * lr over all steps, the e-folds by which w is pulled to its projection, is about the same 33.
   */
  readonly rho: number
  readonly training: Omit<TrainConfig, keyof Cell | 'seed' | 'threads'>
}

/** Which run of a cell: the published data set that it stands for, the seed, and the threads of torch. */
export interface RunChoice {
  readonly data?: PublishedData
  readonly seed: number
  readonly threads: number | null
}

/** The training configuration of a cell under a preset. */
export function configure(preset: Preset, cell: Cell, { data = 'CIFAR10', seed, threads }: RunChoice): TrainConfig {
  const { name, options } = cell.network
  const network = { name, options: { ...options, ...preset.data[data].network } }
  return { ...preset.training, ...cell, network, seed, threads }
}

const smallImages = { width: 16, stem_stride: 2, channels: 1, classes: 10 }

const smokeTraining: Preset['training'] = {
  epochs: 8,
  batchSize: 64,
  dropLast: true,
  optimiser: { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 5e-3, resetMomentumEachEpoch: true },
  schedule: { kind: 'multistep', breakpoints: [0.6, 0.8], factor: 0.1 },
  threat: { epsilon: 0.1, notation: '0.1' },
  attack: { stepSize: 0.05, iterations: 3, randomStart: true, mode: 'train', clampStart: false },
  loss: { name: 'adversarial' },
  augment: { crop: 0, flip: false },
  images: null,
  validation: { count: 0, selection: 'last', attack: { stepSize: 0.05, iterations: 3, randomStart: true } },
}

/**
 * Paper A's published code: epsilon 0.031, step 0.007, 200 epochs, x0.1 at 80, 120, 160; 45k / 5k split as its text
 * says.
 */
const paperTraining: Preset['training'] = {
  epochs: 200,
  batchSize: 128,
  dropLast: false,
  optimiser: { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 5e-4, resetMomentumEachEpoch: true },
  schedule: { kind: 'multistep', breakpoints: [0.4, 0.6, 0.8], factor: 0.1 },
  threat: { epsilon: 0.031, notation: '0.031' },
  attack: { stepSize: 0.007, iterations: 10, randomStart: true, mode: 'train', clampStart: false },
  loss: { name: 'adversarial' },
  augment: { crop: 4, flip: true },
  images: null,
  validation: { count: 5000, selection: 'best', attack: { stepSize: 0.007, iterations: 10, randomStart: true } },
}

const paperEvaluation: EvaluationSettings = {
  epsilon: 0.031,
  notation: '0.031',
  stepSize: 0.007,
  batch: 100,
  limit: null,
}
const cifar: Preset['data'] = {
  CIFAR10: { name: 'cifar10', images: 50_000, network: {} },
  CIFAR100: { name: 'cifar100', images: 50_000, network: { classes: 100 } },
}
/** One grey-scale data set in the place of both. */
const standIn = (name: string, images: number): Preset['data'] => {
  const data = { name, images, network: smallImages }
  return { CIFAR10: data, CIFAR100: data }
}
const fashionEvaluation: EvaluationSettings = {
  epsilon: 0.1,
  notation: '0.1',
  stepSize: 0.025,
  batch: 100,
  limit: null,
}

/** All presets by name. */
export const presets = {
  smoke: {
    name: 'smoke',
    description:
      'Minutes on two cores: ResNet8 on the embedded Fashion-MNIST subset, 8 epochs of PGD-3, weight decay 5e-3.',
    network: 'resnet8',
    data: standIn('fashion_mnist_subset', 6000),
    evaluation: fashionEvaluation,
    rho: 0.7,
    training: smokeTraining,
  },
  quick: {
    name: 'quick',
    description:
      'Hours on a CPU: ResNet20 on 10,000 CIFAR-10 images, 10 epochs of PGD-3, weight decay 1.2e-3, batches of 32.',
    network: 'resnet20',
    data: cifar,
    evaluation: { ...paperEvaluation, limit: 1000 },
    rho: 0.17,
    training: {
      ...paperTraining,
      epochs: 10,
      // Short runs see few steps: small batches, a late first breakpoint and more decay let channel norms reach the
      // threshold while gradients still hold those that the loss needs.
      batchSize: 32,
      optimiser: { ...paperTraining.optimiser, weightDecay: 1.2e-3 },
      schedule: { kind: 'multistep', breakpoints: [0.6, 0.8], factor: 0.1 },
      attack: { stepSize: 0.014, iterations: 3, randomStart: true, mode: 'train', clampStart: false },
      images: 10_000,
      // The best epoch of a short run may come before the pruning.
      validation: { count: 1000, selection: 'last', attack: { stepSize: 0.014, iterations: 3, randomStart: true } },
    },
  },
  quick_fashion: {
    name: 'quick_fashion',
    description:
      'An hour on two cores: ResNet8 on the full Fashion-MNIST, 8 epochs of PGD-3 with the published weight decay.',
    network: 'resnet8',
    data: standIn('fashion_mnist', 60_000),
    evaluation: { ...fashionEvaluation, limit: 2000 },
    rho: 0.07,
    training: {
      ...smokeTraining,
      optimiser: { ...smokeTraining.optimiser, weightDecay: 5e-4 },
      validation: { count: 2000, selection: 'last', attack: { stepSize: 0.05, iterations: 3, randomStart: true } },
    },
  },
  paper: {
    name: 'paper',
    description: 'As the published code: CIFAR, 200 epochs of PGD-10 with epsilon 0.031 and step 0.007; days on a CPU.',
    network: 'resnet20',
    data: cifar,
    evaluation: paperEvaluation,
    rho: 1e-2,
    training: paperTraining,
  },
  paper_text: {
    name: 'paper_text',
    description:
      "The constants of the paper's text instead of its code: epsilon 8/255 and step 2/255, in training and at test.",
    network: 'resnet20',
    data: cifar,
    evaluation: { ...paperEvaluation, epsilon: 8 / 255, notation: '8/255', stepSize: 2 / 255 },
    rho: 1e-2,
    training: {
      ...paperTraining,
      threat: { epsilon: 8 / 255, notation: '8/255' },
      attack: { stepSize: 2 / 255, iterations: 10, randomStart: true, mode: 'train', clampStart: false },
      validation: { ...paperTraining.validation, attack: { stepSize: 2 / 255, iterations: 10, randomStart: true } },
    },
  },
} satisfies Record<string, Preset>

/** The preset of that name; an unknown one is refused with the known ones. */
export function preset(name: string): Preset {
  return presets[expectOneOf('preset', name, Object.keys(presets) as (keyof typeof presets)[])]
}
