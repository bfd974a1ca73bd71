/**
 * The presets of `feynkac reproduce`: which rows of paper A's Table 2 are run, with which constants, on which data.
 * A preset that only shortens the published schedule prunes nothing, since weight decay has to shrink channel norms
 * from sqrt(2) below sqrt(2 lambda1 / beta): `weightDecaySupply` >= 2 holds for every row with RGSM, and a test asserts
 * it.
 */
import { expectOneOf } from '../tensor/options'
import { rgsm, type TrainConfig } from './config'

/** Constants of the test attacks that belong to a preset. */
export interface EvaluationSettings {
  readonly epsilon: number
  readonly notation: string
  /** The step of IFGSM20. */
  readonly stepSize: number
  readonly batch: number
  /** Images of the test split that are attacked, from the first; null takes all. */
  readonly limit: number | null
}

/** The training runs behind one set of rows of a table. */
export interface Preset {
  readonly name: string
  /** One sentence: what it costs and how it differs from the paper. */
  readonly description: string
  /** Name of the data set, and the size of its training split. */
  readonly data: { readonly name: string; readonly images: number }
  readonly evaluation: EvaluationSettings
  /** One configuration a row, in the order of the table. */
  rows(seed: number, threads: number | null): TrainConfig[]
}

type Row = Pick<TrainConfig, 'network' | 'splitting' | 'lambda2'>
type Shared = Omit<TrainConfig, keyof Row | 'seed' | 'threads'>

const lambda2 = 1e-5

/** For each network its dense row, then one RGSM row for each lambda1; beta = 1 and lambda2 = 1e-5 as in the tables. */
function rowsOf(networks: readonly { network: TrainConfig['network']; lambda1: readonly number[] }[]): Row[] {
  return networks.flatMap(({ network, lambda1 }) => [
    { network, splitting: { kind: 'none' }, lambda2: 0 } as const,
    ...lambda1.map((value) => ({ network, splitting: rgsm({ beta: 1, lambda1: value }), lambda2 })),
  ])
}

const complete = (shared: Shared, rows: readonly Row[]) => (seed: number, threads: number | null) =>
  rows.map((row) => ({ ...shared, ...row, seed, threads }))

const single = (name: string, options: object = {}): TrainConfig['network'] => ({ name, options: { ...options } })
const ensemble = (name: string, members: number, options: object = {}): TrainConfig['network'] => ({
  name,
  options: { members, noise: 0.1, ...options },
})

const smallImages = { width: 16, stem_stride: 2, channels: 1, classes: 10 }

const smokeShared: Shared = {
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
const paperShared: Shared = {
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

const paperRows = rowsOf([
  { network: single('resnet20'), lambda1: [5e-2, 1e-1] },
  { network: ensemble('enresnet20', 2), lambda1: [5e-2, 1e-1] },
  { network: ensemble('enresnet20', 5), lambda1: [1e-2, 2e-2] },
])

const paperEvaluation: EvaluationSettings = {
  epsilon: 0.031,
  notation: '0.031',
  stepSize: 0.007,
  batch: 100,
  limit: null,
}
const cifar10 = { name: 'cifar10', images: 50_000 }

/** All presets by name. */
export const presets = {
  smoke: {
    name: 'smoke',
    description:
      'Minutes on two cores: ResNet8 on the embedded Fashion-MNIST subset, 8 epochs of PGD-3, weight decay 5e-3.',
    data: { name: 'fashion_mnist_subset', images: 6000 },
    evaluation: { epsilon: 0.1, notation: '0.1', stepSize: 0.025, batch: 100, limit: null },
    rows: complete(
      smokeShared,
      rowsOf([
        { network: single('resnet8', smallImages), lambda1: [5e-2] },
        { network: ensemble('enresnet8', 2, smallImages), lambda1: [5e-2] },
      ]),
    ),
  },
  quick: {
    name: 'quick',
    description:
      'Hours on a CPU: ResNet20 on 10,000 CIFAR-10 images, 10 epochs of PGD-3, weight decay 4e-3, batches of 64.',
    data: cifar10,
    evaluation: { ...paperEvaluation, limit: 1000 },
    rows: complete(
      {
        ...paperShared,
        epochs: 10,
        batchSize: 64,
        // Short runs see few steps: the decay is raised until channel norms can reach the threshold.
        optimiser: { ...paperShared.optimiser, weightDecay: 4e-3 },
        attack: { stepSize: 0.014, iterations: 3, randomStart: true, mode: 'train', clampStart: false },
        images: 10_000,
        validation: { count: 1000, selection: 'best', attack: { stepSize: 0.014, iterations: 3, randomStart: true } },
      },
      rowsOf([
        { network: single('resnet20'), lambda1: [5e-2, 1e-1] },
        { network: ensemble('enresnet20', 2), lambda1: [5e-2, 1e-1] },
      ]),
    ),
  },
  paper: {
    name: 'paper',
    description:
      'As the published code: CIFAR-10, 200 epochs of PGD-10 with epsilon 0.031 and step 0.007; days on a CPU.',
    data: cifar10,
    evaluation: paperEvaluation,
    rows: complete(paperShared, paperRows),
  },
  paper_text: {
    name: 'paper_text',
    description:
      "The constants of the paper's text instead of its code: epsilon 8/255 and step 2/255, in training and at test.",
    data: cifar10,
    evaluation: { ...paperEvaluation, epsilon: 8 / 255, notation: '8/255', stepSize: 2 / 255 },
    rows: complete(
      {
        ...paperShared,
        threat: { epsilon: 8 / 255, notation: '8/255' },
        attack: { stepSize: 2 / 255, iterations: 10, randomStart: true, mode: 'train', clampStart: false },
        validation: { ...paperShared.validation, attack: { stepSize: 2 / 255, iterations: 10, randomStart: true } },
      },
      paperRows,
    ),
  },
} satisfies Record<string, Preset>

/** The preset of that name; an unknown one is refused with the known ones. */
export function preset(name: string): Preset {
  return presets[expectOneOf('preset', name, Object.keys(presets) as (keyof typeof presets)[])]
}
