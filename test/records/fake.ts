/** Records made up for tests: realistic in size (measured.md's smoke recipe), but nobody measured them. */
import { configHash } from '../../ts/records/canonical'
import type { Hyper, RunRecord } from '../../ts/records/record'

export const dense: Hyper = { beta: null, lambda: null, lambda1: null, lambda2: null }
export const rgsm = (lambda1: number): Hyper => ({ beta: 1, lambda: null, lambda1, lambda2: 1e-5 })

/** natural, fgsm, ifgsm20, cw_paper as counts; zero input channels. */
export type Numbers = [natural: number, fgsm: number, ifgsm20: number, cw: number, channels: number]

export interface FakeOptions {
  network: string
  lambda1: number | null
  numbers: Numbers
  seed?: number
  preset?: string
  n?: number
  data?: Partial<RunRecord['data']>
  epochs?: number
  date?: string
  channels?: number
  notes?: string[]
}

const fashion: RunRecord['data'] = {
  name: 'fashion_mnist_subset',
  title: 'Fashion-MNIST subset',
  trainN: 5400,
  validationN: 600,
  testN: 1000,
  official: true,
  checksum: 'sha256:0123456789abcdef',
}

export const cifar: Partial<RunRecord['data']> = {
  name: 'cifar10',
  title: 'CIFAR-10',
  trainN: 45000,
  validationN: 5000,
  testN: 10000,
}

export function fakeRecord(options: FakeOptions): RunRecord {
  const { network, lambda1, numbers, seed = 0, preset = 'smoke', n = 1000, epochs = 8, notes = [] } = options
  const data = { ...fashion, ...options.data }
  const members = Number(/^En(\d+)/.exec(network)?.[1] ?? 1)
  const method = lambda1 === null ? 'AT' : 'RGSM'
  const hyper = lambda1 === null ? dense : rgsm(lambda1)
  const config = {
    table: 2,
    preset,
    network,
    method,
    hyper,
    seed,
    epochs,
    data: data.checksum,
    threads: 1,
    torch: '2.13.0+cpu',
  }
  const total = options.channels ?? 225 * members
  const [natural, fgsm, ifgsm20, cw, zero] = numbers
  return {
    schema: 1,
    experiment: 'table-2',
    hash: configHash(config),
    table: 'sparsity-meets-robustness/table-2',
    preset,
    network,
    method,
    hyper,
    data,
    seed,
    epsilon: { value: 0.1, notation: '0.1' },
    config,
    measured: {
      natural: { correct: natural, n },
      attacks: { fgsm: { correct: fgsm, n }, ifgsm20: { correct: ifgsm20, n }, cw_paper: { correct: cw, n } },
      draws: 1,
    },
    sparsity: {
      convWeights: { zero: zero * 100, total: 76000 * members },
      inputChannels: { zero, total },
      inputChannelsWithoutDownsample: { zero: Math.max(0, zero - 6), total: total - 48 * members },
      parameters: { zero: zero * 100, total: 77562 * members },
    },
    parameters: 77562 * members,
    selectedEpoch: Math.max(0, epochs - 1),
    epochs,
    seconds: { train: 31 * members, evaluate: 7 * members },
    versions: { feynkac: '0.1.0', torch: '2.13.0+cpu', python: '3.11.2', node: '20.20.0' },
    hardware: { device: 'cpu', cpu: 'Example CPU @ 2.50GHz', threads: 1 },
    commit: '58724da0123456789abcdef0123456789abcdef0',
    date: options.date ?? '2026-01-31T12:00:00.000Z',
    notes,
  }
}

/** The four rows of the smoke preset. */
export function smokeRecords(): RunRecord[] {
  return [
    fakeRecord({ network: 'ResNet8', lambda1: null, numbers: [786, 726, 699, 741, 0] }),
    fakeRecord({ network: 'ResNet8', lambda1: 0.05, numbers: [783, 722, 703, 738, 69] }),
    fakeRecord({ network: 'En2ResNet8', lambda1: null, numbers: [785, 711, 694, 791, 0] }),
    fakeRecord({ network: 'En2ResNet8', lambda1: 0.05, numbers: [789, 707, 690, 793, 232] }),
  ]
}

/** Two rows of the quick preset on official CIFAR-10, the pruned one with three seeds and C&W on 500 images. */
export function quickRecords(): RunRecord[] {
  const common = { preset: 'quick', data: cifar, n: 10000, epochs: 20, channels: 675 }
  const pruned = ([0, 1, 2] as const).map((seed) => {
    const record = fakeRecord({
      ...common,
      network: 'ResNet20',
      lambda1: 0.05,
      seed,
      numbers: [7402 + 31 * seed, 4911 - 20 * seed, 4608, 300, 58 + seed],
    })
    record.measured.attacks['cw_paper'] = { correct: 300 + seed, n: 500 }
    return record
  })
  const baseline = fakeRecord({ ...common, network: 'ResNet20', lambda1: null, numbers: [7455, 5003, 4650, 5790, 0] })
  delete baseline.measured.attacks['fgsm']
  return [baseline, ...pruned]
}
