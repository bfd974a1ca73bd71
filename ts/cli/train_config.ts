/** The training configuration that the options of `feynkac train` make. */
import { readFileSync } from 'node:fs'
import { admm, channelTarget, type TrainConfig, rgsm, rvsm } from '../training/config'
import { type Cell, configure, presets } from '../training/presets'

/** The options that say what is trained, as commander gives them. */
export interface ConfigOptions {
  readonly config?: string
  readonly preset: keyof typeof presets
  readonly network?: string
  readonly members?: number
  readonly noise?: number
  readonly width?: number
  readonly channels?: number
  readonly classes?: number
  readonly stemStride?: number
  readonly method?: 'none' | 'rvsm' | 'rgsm' | 'admm'
  readonly beta?: number
  readonly lambda?: number
  readonly coupled?: boolean
  readonly aside?: boolean
  readonly rho?: number
  readonly percent?: number
  readonly of?: 'weights' | 'channels'
  readonly variant?: 'correct' | 'paper'
  readonly targetChannels?: number
  readonly targetBy?: 'lambda' | 'cubic'
  readonly averaging?: number
  readonly epochs?: number
  readonly batch?: number
  readonly lr?: number
  readonly weightDecay?: number
  readonly epsilon?: { value: number; notation: string }
  readonly step?: { value: number; notation: string }
  readonly iterations?: number
  readonly images?: number
  readonly seed: number
}

const given = <T extends object>(values: T): Partial<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>

/** Which methods an option belongs to: with another one it would be left unread. */
const BELONGS = {
  beta: ['rvsm', 'rgsm'],
  lambda: ['rvsm', 'rgsm'],
  coupled: ['rvsm', 'rgsm'],
  aside: ['rvsm', 'rgsm'],
  rho: ['admm'],
  percent: ['admm'],
  of: ['admm'],
  variant: ['admm'],
  targetChannels: ['rgsm'],
} as const

const flag = (option: string): string => `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

function checkMethod(options: ConfigOptions, method: ConfigOptions['method']): void {
  for (const [option, methods] of Object.entries(BELONGS)) {
    if (options[option as keyof typeof BELONGS] === undefined) continue
    if ((methods as readonly unknown[]).includes(method)) continue
    throw new Error(`Expected \`${flag(option)}\` with --method ${methods.join(' or ')}, got ${method ?? 'no method'}`)
  }
  if (options.targetBy !== undefined && options.targetChannels === undefined)
    throw new Error('Expected `--target-by` with --target-channels, got nothing')
}

type Method = Pick<TrainConfig, 'splitting' | 'target'>

function methodOf(base: TrainConfig, options: ConfigOptions): Method {
  const { targetChannels: channels, targetBy: by = 'cubic', beta = 1, lambda } = options
  const method = options.method ?? (channels === undefined ? undefined : 'rgsm')
  checkMethod(options, method)
  const need = <T>(option: string, value: T | undefined): T => {
    if (value === undefined) throw new Error(`Expected \`${option}\` with --method ${method}, got nothing`)
    return value
  }
  if (method === undefined) return given({ splitting: base.splitting, target: base.target }) as Method
  if (method === 'none') return { splitting: { kind: 'none' } }
  const readings = given({ coupled: options.coupled, aside: options.aside })
  if (method === 'rvsm') return { splitting: rvsm({ beta, lambda: need('--lambda', lambda), ...readings }) }
  if (method === 'admm') {
    const { rho = 1e-2, percent, of = 'channels', variant = 'correct' } = options
    return { splitting: admm({ rho, percent: need('--percent', percent), of, variant }) }
  }
  if (channels === undefined) return { splitting: rgsm({ beta, lambda1: need('--lambda', lambda), ...readings }) }
  if (by === 'cubic' && lambda !== undefined)
    throw new Error('Expected no `--lambda` with --target-by cubic, which needs none, got one')
  return channelTarget({ beta, channels, by, ...given({ lambda1: lambda }), ...readings })
}

/** The command line asks for RGSM, whose loss has paper A's group-lasso term. */
const namesRgsm = ({ method, targetChannels }: ConfigOptions): boolean =>
  method === 'rgsm' || targetChannels !== undefined

/** A configuration as JSON, or the `config.json` of a run, which has it in `train`. */
function readConfig(path: string): TrainConfig {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Error(
      `Expected \`--config\` to be a JSON file, got \`${path}\` (${(error as Error).message.replace(/\s+/g, ' ')})`,
      {
        cause: error,
      },
    )
  }
  const object = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  const config = object(content) && object(content['train']) ? content['train'] : content
  const sections = ['network', 'optimiser', 'threat', 'validation', 'splitting'] as const
  for (const section of sections) {
    if (!object(config) || !object(config[section]))
      throw new Error(
        `Expected \`--config\` to be a training configuration with a section \`${section}\`, got \`${path}\` without it`,
      )
  }
  return config as TrainConfig
}

const denseCell = (preset: ConfigOptions['preset']): Cell => ({
  network: { name: presets[preset].network, options: {} },
  splitting: { kind: 'none' },
  lambda2: 0,
})

/** The options of a network that the command line names. */
export function networkOptions({ members, noise, width, channels, classes, stemStride }: ConfigOptions): object {
  return given({ members, noise, width, channels, classes, stem_stride: stemStride })
}

/** The dense network of a preset, or a configuration file, with what the command line says. */
export function configOf(options: ConfigOptions, threads: number): TrainConfig {
  const { target: _target, ...base }: TrainConfig =
    options.config === undefined
      ? configure(presets[options.preset], denseCell(options.preset), { seed: options.seed, threads })
      : readConfig(options.config)
  const stepAttack = given({ stepSize: options.step?.value, iterations: options.iterations })
  const method = methodOf({ ...base, ...given({ target: _target }) }, options)
  return {
    ...base,
    ...given({ epochs: options.epochs, batchSize: options.batch, images: options.images }),
    network: {
      name: options.network ?? base.network.name,
      options: { ...base.network.options, ...networkOptions(options) },
    },
    optimiser: { ...base.optimiser, ...given({ lr: options.lr, weightDecay: options.weightDecay }) },
    threat:
      options.epsilon === undefined
        ? base.threat
        : { epsilon: options.epsilon.value, notation: options.epsilon.notation },
    attack: base.attack === null ? null : { ...base.attack, ...stepAttack },
    validation: { ...base.validation, attack: { ...base.validation.attack, ...stepAttack } },
    ...method,
    lambda2: namesRgsm(options) && base.lambda2 === 0 ? 1e-5 : base.lambda2,
    ...(options.averaging !== undefined && { averaging: { decay: options.averaging } }),
    seed: options.seed,
    threads,
  }
}
