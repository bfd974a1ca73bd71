/** Rows of tables and training configurations: the two ways round. */
import type { Hyper } from '../records/record'
import { shortNumber, type RowIdentity } from '../tables/shared/table'
import { admm, type TrainConfig, rgsm, rvsm, splits } from '../training/config'
import type { Cell } from '../training/presets'

const NO_HYPER: Hyper = { beta: null, lambda: null, lambda1: null, lambda2: null }
const WITHOUT_SKIPS = ' without skips'
const NOISE = 0.1

/** `resnet20` is printed as ResNet20, `enresnet20` with two members as En2ResNet20. */
function printedNetwork({ name, options }: TrainConfig['network']): string {
  const [, ensemble, wide, size] = /^(en)?(wide)?resnet(\d+(?:_\d+)?)$/.exec(name) ?? []
  if (size === undefined) return name
  const [count, noise] = [Number(options['members'] ?? 1), Number(options['noise'] ?? 0)]
  const members = ensemble !== undefined || count > 1 || noise > 0 ? `En${count}` : ''
  const base = `${wide === undefined ? '' : 'Wide'}ResNet${size.replace('_', '-')}`
  return `${members}${base}${options['skip'] === false ? WITHOUT_SKIPS : ''}`
}

/** The registered network of a printed name, with the published noise in ensembles. */
function networkOf(printed: string): TrainConfig['network'] {
  const [, members, wide, size, plain] =
    /^(?:En(\d+))?(Wide)?ResNet(\d+(?:-\d+)?)( without skips)?$/.exec(printed) ?? []
  if (size === undefined) throw new Error(`Expected \`network\` to be such as ResNet20 or En2ResNet20, got ${printed}`)
  const name = `${wide === undefined ? '' : 'wide'}resnet${size.replace('-', '_')}`
  const options = plain === undefined ? {} : { skip: false }
  return members === undefined
    ? { name, options }
    : { name: `en${name}`, options: { members: Number(members), noise: NOISE, ...options } }
}

/** The network, method and hyper-parameters of a training configuration, as tables name them. */
export function rowOf(config: TrainConfig): RowIdentity {
  const network = printedNetwork(config.network)
  const { splitting, lambda2 } = config
  if (!splits(splitting)) return { network, method: config.attack === null ? 'NT' : 'AT', hyper: NO_HYPER }
  const { options, name: penalty } = splitting.penalty
  if (splitting.kind.startsWith('admm')) {
    const percent = Math.round(1e4 * Number(options['share'])) / 100
    const variant = splitting.kind === 'admm_paper' ? ' (paper)' : ''
    return { network, method: `ADMM ${penalty.replace('sparse_', '')} ${percent} %${variant}`, hyper: NO_HYPER }
  }
  const lambda = typeof options['lambda'] === 'number' ? options['lambda'] : null
  const hyper =
    splitting.kind === 'rvsm'
      ? { ...NO_HYPER, beta: splitting.beta, lambda }
      : { ...NO_HYPER, beta: splitting.beta, lambda1: lambda, lambda2 }
  const readings = Object.keys(splitting.options ?? {}).sort()
  const suffix = readings.length === 0 ? '' : ` (${readings.join(', ')})`
  return { network, method: `${splitting.kind.toUpperCase()}${suffix}`, hyper }
}

/** What has to be trained for a row; `rho` is the weight of ADMM's quadratic term. */
export function cellOf({ network, method, hyper }: RowIdentity, rho: number): Cell {
  const { beta, lambda, lambda1, lambda2 } = hyper
  const cell = (splitting: TrainConfig['splitting']): Cell => ({
    network: networkOf(network),
    splitting,
    lambda2: lambda2 ?? 0,
  })
  if (method === 'AT') return cell({ kind: 'none' })
  if (method === 'RVSM' && beta !== null && lambda !== null) return cell(rvsm({ beta, lambda }))
  if (method === 'RGSM' && beta !== null && lambda1 !== null) return cell(rgsm({ beta, lambda1 }))
  const [, of, percent, paper] = /^ADMM (weights|channels) ([\d.]+) %( \(paper\))?$/.exec(method) ?? []
  if (of !== undefined) {
    const variant = paper === undefined ? 'correct' : 'paper'
    return cell(admm({ rho, percent: Number(percent), of: of as 'weights' | 'channels', variant }))
  }
  throw new Error(`Expected \`method\` to be AT, ADMM, RVSM or RGSM with its constants, got ${method}`)
}

/** A row in words: `En2ResNet8 RGSM lambda1 0.05`. */
export function rowText({ network, method, hyper }: RowIdentity): string {
  const values = (Object.entries(hyper) as [string, number | null][]).flatMap(([name, value]) =>
    value === null || (name === 'beta' && !method.startsWith('RVSM')) || name === 'lambda2'
      ? []
      : [`${name} ${shortNumber(value)}`],
  )
  return [network, method, ...values].join(' ')
}
