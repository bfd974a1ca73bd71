/**
 * Refuses a training configuration that cannot be run, whoever wrote its JSON: the first wrong value in one sentence.
 */
import { expectKeys, expectNumber, expectOneOf, show } from '../tensor/options'
import { splits, type StepAttack, type TrainConfig } from './config'
import { methodNames } from './registry'
import { makeSplitting } from './splitting'
import { STEERED } from './target'

const KEYS: readonly (keyof TrainConfig)[] = [
  'network',
  'epochs',
  'batchSize',
  'dropLast',
  'optimiser',
  'schedule',
  'threat',
  'attack',
  'loss',
  'splitting',
  'lambda2',
  'augment',
  'images',
  'validation',
  'seed',
  'threads',
]
const WHOLE = { least: 1, integer: true }
const SCHEDULES = { constant: [], multistep: ['breakpoints', 'factor'], linear: ['to'] }

/** Gives the configuration back; `images` is the size of the training split. Throws a RangeError of one sentence. */
export function checkConfig(config: TrainConfig, images: number): TrainConfig {
  expectKeys('config', config, KEYS, ['averaging', 'initial', 'target'])
  expectKeys('network', config.network, ['name', 'options'])
  expectNumber('epochs', config.epochs, WHOLE)
  expectNumber('lambda2', config.lambda2, { least: 0 })
  expectNumber('seed', config.seed, { least: 0, integer: true })
  if (config.threads !== null) expectNumber('threads', config.threads, WHOLE)
  checkInitial(config)
  checkOptimiser(config)
  checkSchedule(config)
  checkAttacks(config)
  checkMethods(config)
  checkImages(config, images)
  checkAveraging(config)
  checkTarget(config)
  return config
}

function checkInitial({ initial }: TrainConfig): void {
  if (initial === undefined) return
  expectKeys('initial', initial, ['sha256'])
  if (typeof initial.sha256 === 'string' && /^[0-9a-f]{64}$/.test(initial.sha256)) return
  throw new RangeError(`Expected \`initial.sha256\` to be 64 hexadecimal digits, got ${show(initial.sha256)}`)
}

function checkOptimiser({ optimiser }: TrainConfig): void {
  expectKeys('optimiser', optimiser, ['lr', 'momentum', 'nesterov', 'weightDecay', 'resetMomentumEachEpoch'])
  expectNumber('optimiser.lr', optimiser.lr, { least: 0, open: true })
  expectNumber('optimiser.momentum', optimiser.momentum, { least: 0, most: 1 })
  expectNumber('optimiser.weightDecay', optimiser.weightDecay, { least: 0 })
  expectOneOf('optimiser.nesterov', optimiser.nesterov, [true, false])
  expectOneOf('optimiser.resetMomentumEachEpoch', optimiser.resetMomentumEachEpoch, [true, false])
}

function checkSchedule({ schedule }: TrainConfig): void {
  expectKeys('schedule', schedule, ['kind'], ['breakpoints', 'factor', 'to'])
  const kind = expectOneOf('schedule.kind', schedule.kind, Object.keys(SCHEDULES) as (keyof typeof SCHEDULES)[])
  expectKeys('schedule', schedule, ['kind', ...SCHEDULES[kind]])
  if (schedule.kind === 'linear') expectNumber('schedule.to', schedule.to, { least: 0 })
  if (schedule.kind !== 'multistep') return
  expectNumber('schedule.factor', schedule.factor, { least: 0 })
  schedule.breakpoints.forEach((fraction, i) =>
    expectNumber(`schedule.breakpoints[${i}]`, fraction, { least: schedule.breakpoints[i - 1] ?? 0, most: 1 }),
  )
}

function checkAttacks({ threat, attack, validation }: TrainConfig): void {
  expectKeys('threat', threat, ['epsilon', 'notation'])
  expectNumber('threat.epsilon', threat.epsilon, { least: 0, most: 1 })
  expectKeys('validation', validation, ['count', 'selection', 'attack'])
  checkStepAttack('validation.attack', validation.attack, [])
  if (attack === null) return
  checkStepAttack('attack', attack, ['mode', 'clampStart'])
  expectOneOf('attack.mode', attack.mode, ['train', 'eval'])
  expectOneOf('attack.clampStart', attack.clampStart, [true, false])
}

function checkStepAttack(name: string, attack: StepAttack, more: readonly string[]): void {
  expectKeys(name, attack, ['stepSize', 'iterations', 'randomStart', ...more])
  expectNumber(`${name}.stepSize`, attack.stepSize, { least: 0, most: 1 })
  expectNumber(`${name}.iterations`, attack.iterations, WHOLE)
  expectOneOf(`${name}.randomStart`, attack.randomStart, [true, false])
}

function checkMethods({ loss, splitting }: TrainConfig): void {
  expectKeys('loss', loss, ['name'], ['options'])
  expectOneOf('loss.name', loss.name, methodNames('losses'))
  expectKeys('splitting', splitting, ['kind'], ['beta', 'penalty', 'options'])
  expectOneOf('splitting.kind', splitting.kind, ['none', ...methodNames('splitting')])
  if (!splits(splitting)) return
  expectKeys('splitting', splitting, ['kind', 'beta', 'penalty'], ['options'])
  expectNumber('splitting.beta', splitting.beta, { least: 0, open: true })
  expectKeys('splitting.penalty', splitting.penalty, ['name', 'options'])
  expectOneOf('splitting.penalty.name', splitting.penalty.name, methodNames('penalties'))
  // The makers check the numbers; without this a bad one would be found only after the data are loaded.
  makeSplitting(splitting)
}

function checkImages(config: TrainConfig, images: number): void {
  const { validation, augment } = config
  expectKeys('augment', augment, ['crop', 'flip'])
  expectNumber('augment.crop', augment.crop, { least: 0, integer: true })
  expectOneOf('augment.flip', augment.flip, [true, false])
  expectOneOf('dropLast', config.dropLast, [true, false])
  expectNumber('validation.count', validation.count, { least: 0, most: images - 1, integer: true })
  expectOneOf('validation.selection', validation.selection, ['best', 'last'])
  if (validation.selection === 'best' && validation.count === 0) {
    throw new RangeError(`Expected \`validation.count\` to be above 0 to select the best epoch, got ${show(0)}`)
  }
  const left = images - validation.count
  if (config.images !== null) expectNumber('images', config.images, { ...WHOLE, most: left })
  expectNumber('batchSize', config.batchSize, { ...WHOLE, most: config.images ?? left })
}

function checkAveraging({ averaging, splitting }: TrainConfig): void {
  if (averaging === undefined) return
  expectKeys('averaging', averaging, ['decay'])
  expectNumber('averaging.decay', averaging.decay, { least: 0, most: 1 })
  if (averaging.decay === 1) throw new RangeError(`Expected \`averaging.decay\` to be below 1, got ${show(1)}`)
  if (splits(splitting)) {
    // An average of weights is zero only where all of them were.
    throw new RangeError(
      `Expected no \`averaging\` with the splitting method ${splitting.kind}, whose zeros it would undo, got ${show(averaging)}`,
    )
  }
}

function checkTarget({ target, splitting }: TrainConfig): void {
  if (target === undefined) return
  expectKeys('target', target, ['channels', 'by', 'until', 'tolerance'])
  expectNumber('target.channels', target.channels, { least: 0, most: 1 })
  expectNumber('target.until', target.until, { least: 0, most: 1, open: true })
  expectNumber('target.tolerance', target.tolerance, { least: 0, most: 1 })
  const option = STEERED[expectOneOf('target.by', target.by, ['lambda', 'cubic'])]
  const value = splits(splitting) ? splitting.penalty.options[option] : undefined
  const place = 'splitting.penalty.options'
  if (typeof value !== 'number') {
    throw new RangeError(
      `Expected \`${place}\` to have a number \`${option}\` with target by ${target.by}, got ${show(value)}`,
    )
  }
  if (target.by === 'lambda' && value === 0) {
    throw new RangeError(`Expected \`${place}.lambda\` to be above 0 with target by lambda, got ${show(value)}`)
  }
  if (target.by === 'cubic' && value !== target.channels) {
    throw new RangeError(`Expected \`${place}.share\` to be target.channels, ${target.channels}, got ${show(value)}`)
  }
}
