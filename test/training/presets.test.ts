/**
 * Presets: the weight decay suffices to prune, the constants are the documented ones, bad configurations are refused.
 */
import { checkConfig } from '../../ts/training/check'
import { rgsm, rvsm, type TrainConfig } from '../../ts/training/config'
import { configure, preset, presets, type PublishedData } from '../../ts/training/presets'
import { learningRate, stepsPerEpoch, weightDecaySupply } from '../../ts/training/schedule'
import { configOf } from '../support/configs'

const names = Object.keys(presets) as (keyof typeof presets)[]
const imagesOf = (name: keyof typeof presets, config: TrainConfig): number =>
  config.images ?? presets[name].data.CIFAR10.images - config.validation.count

const pruned = names.map((name) => [name, configOf(presets[name], { lambda1: 0.05 })] as const)

test.each(pruned)('%s: the weight decay supplies at least 2 e-folds', (name, config) => {
  expect(weightDecaySupply(config, imagesOf(name, config))).toBeGreaterThanOrEqual(2)
})

test('the supply of the paper is 16.5 e-folds over 50,000 images, as documented', () => {
  const config = configOf(presets.paper)
  // 50,000 images: 391 steps an epoch; 80 epochs at 0.1, 40 at 0.01, 40 at 0.001, 40 at 0.0001.
  expect(weightDecaySupply(config, 50_000)).toBeCloseTo(10 * 5e-4 * 391 * (8 + 0.4 + 0.04 + 0.004), 6)
  expect(weightDecaySupply(config, 50_000)).toBeCloseTo(16.5, 1)
})

test('a schedule that is only shortened would prune nothing', () => {
  const config = configOf(presets.quick)
  const shortened = { ...config, batchSize: 128, optimiser: { ...config.optimiser, weightDecay: 5e-4 } }
  expect(weightDecaySupply(shortened, 10_000)).toBeLessThan(0.25)
})

test.each(pruned)('%s: ADMM pulls about as much as in the published run', (name, config) => {
  const images = imagesOf(name, config)
  const rate = learningRate(config)
  const steps = stepsPerEpoch(config, images)
  const sum = Array.from({ length: config.epochs }, (_, epoch) => rate(epoch) * steps).reduce((a, b) => a + b, 0)
  expect(presets[name].rho * sum).toBeGreaterThan(28)
  expect(presets[name].rho * sum).toBeLessThan(36)
})

test('learning rates of the presets', () => {
  const rates = (config: TrainConfig): number[] =>
    Array.from({ length: config.epochs }, (_, epoch) => Number(learningRate(config)(epoch).toPrecision(6)))
  expect(rates(configOf(presets.smoke))).toEqual([0.1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.001])
  expect(rates(configOf(presets.quick))).toEqual([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001])
  const paper = rates(configOf(presets.paper))
  expect([79, 80, 119, 120, 159, 160, 199].map((epoch) => paper[epoch])).toEqual([
    0.1, 0.01, 0.01, 0.001, 0.001, 0.0001, 0.0001,
  ])
})

test('the smoke rows are recipe A', () => {
  expect(configOf(presets.smoke, { members: 2, lambda1: 0.05, seed: 3 })).toEqual({
    network: {
      name: 'enresnet8',
      options: { members: 2, noise: 0.1, width: 16, stem_stride: 2, channels: 1, classes: 10 },
    },
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
    splitting: { kind: 'rgsm', beta: 1, penalty: { name: 'group_l0', options: { lambda: 0.05 } } },
    lambda2: 1e-5,
    seed: 3,
    threads: 1,
  })
})

test('every preset passes its own check', () => {
  for (const [name, config] of pruned) expect(checkConfig(config, presets[name].data.CIFAR10.images)).toBe(config)
})

test('CIFAR-100 gives the networks of the paper 100 classes, and small images keep theirs', () => {
  const cell = { network: { name: 'resnet20', options: {} }, splitting: { kind: 'none' } as const, lambda2: 0 }
  const network = (name: keyof typeof presets, data: PublishedData) =>
    configure(presets[name], cell, { data, seed: 0, threads: 1 }).network
  expect(network('paper', 'CIFAR100')).toEqual({ name: 'resnet20', options: { classes: 100 } })
  expect(network('paper', 'CIFAR10')).toEqual({ name: 'resnet20', options: {} })
  expect(network('smoke', 'CIFAR100')).toEqual(network('smoke', 'CIFAR10'))
})

test('a configuration survives JSON', () => {
  for (const [, config] of pruned) expect(JSON.parse(JSON.stringify(config))).toEqual(config)
})

test('an unknown preset is refused with the known ones', () => {
  expect(() => preset('tiny')).toThrow(
    'Expected `preset` to be one of smoke, quick, quick_fashion, paper, paper_text, got `"tiny"` (string)',
  )
})

const base = configOf(presets.smoke)
test.each<[string, Partial<TrainConfig>, string]>([
  ['epochs', { epochs: 0 }, 'Expected `epochs` to be an integer in [1, Infinity), got `0` (number)'],
  [
    'epsilon',
    { threat: { epsilon: 8, notation: '8' } },
    'Expected `threat.epsilon` to be a number in [0, 1], got `8` (number)',
  ],
  [
    'loss',
    { loss: { name: 'hinge' } },
    'Expected `loss.name` to be one of adversarial, natural, got `"hinge"` (string)',
  ],
  [
    'splitting',
    { splitting: { kind: 'admn', beta: 1, penalty: { name: 'l0', options: {} } } },
    'Expected `splitting.kind` to be one of none, admm, admm_paper, rgsm, rvsm, got `"admn"` (string)',
  ],
  ['batch', { batchSize: 6001 }, 'Expected `batchSize` to be an integer in [1, 6000], got `6001` (number)'],
  [
    'selection',
    { validation: { ...base.validation, selection: 'best' } },
    'Expected `validation.count` to be above 0 to select the best epoch, got `0` (number)',
  ],
  [
    'schedule',
    { schedule: { kind: 'multistep', breakpoints: [0.8, 0.6], factor: 0.1 } },
    'Expected `schedule.breakpoints[1]` to be a number in [0.8, 1], got `0.6` (number)',
  ],
  [
    'key',
    { optimizer: base.optimiser } as Partial<TrainConfig>,
    'Expected the keys of `config` to be among network, epochs, batchSize, dropLast, optimiser, schedule, threat, attack, loss, splitting, lambda2, augment, images, validation, seed, threads, averaging, initial, target, got `optimizer`',
  ],
  ['section', { loss: {} as TrainConfig['loss'] }, 'Expected `loss` to have `name`, got '],
])('refuses a bad %s', (_name, change, message) => {
  expect(checkConfig(base, 6000)).toBe(base)
  expect(() => checkConfig({ ...base, ...change }, 6000)).toThrow(new RangeError(message))
})

test('rgsm and rvsm name their penalties', () => {
  expect(rgsm({ beta: 1, lambda1: 0.1 })).toMatchObject({
    kind: 'rgsm',
    penalty: { name: 'group_l0', options: { lambda: 0.1 } },
  })
  expect(rvsm({ beta: 0.01, lambda: 1e-6 })).toMatchObject({
    kind: 'rvsm',
    penalty: { name: 'l0', options: { lambda: 1e-6 } },
  })
})
