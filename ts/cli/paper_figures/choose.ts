/** Which runs of the user a figure of paper A shows when nobody names them. */
import type { FoundRun } from '../../records/find'
import type { RunRecord } from '../../records/record'
import { methodText, networkParts } from '../../tables/shared/table'

export interface Choice {
  readonly preset: string
  readonly network?: string
  readonly seed?: number
}

const dense = ['NT', 'AT']

/** Runs of the preset (and seed), by seed, newest first: the first match of a search is the one to draw. */
export function candidates(runs: readonly FoundRun[], { preset, seed }: Choice): FoundRun[] {
  return runs
    .filter(({ record }) => record.preset === preset && (seed === undefined || record.seed === seed))
    .sort(({ record: a }, { record: b }) => a.seed - b.seed || (a.date < b.date ? 1 : a.date > b.date ? -1 : 0))
}

const networksOf = (runs: readonly FoundRun[]): string[] => [...new Set(runs.map(({ record }) => record.network))]

/** What was found instead, for a sentence. */
const found = (runs: readonly FoundRun[]): string =>
  runs.length === 0
    ? 'no runs'
    : [...new Set(runs.map(({ record }) => `${record.network} ${methodText(record)}`))].join(', ')

/** Figure 1: a natural and an adversarial training of one network. */
export function naturalAndAdversarial(runs: readonly FoundRun[], choice: Choice): FoundRun[] {
  const list = candidates(runs, choice)
  for (const network of choice.network === undefined ? networksOf(list) : [choice.network]) {
    const pair = dense.map((method) => list.find(({ record: r }) => r.network === network && r.method === method))
    if (pair.every((run) => run !== undefined)) return pair
  }
  throw new Error(
    `Expected finished runs of NT and AT of ${choice.network ?? 'one network'}, preset ${choice.preset}, found ${found(list)}; ` +
      'give two run folders or checkpoints instead',
  )
}

/** Figure 2: a dense plain network and its largest ensemble, both adversarially trained. */
export function plainAndEnsemble(runs: readonly FoundRun[], choice: Choice): FoundRun[] {
  const list = candidates(runs, choice).filter(({ record }) => record.method === 'AT')
  const members = ({ record }: FoundRun): number => networkParts(record.network).members
  const ensembles = list
    .filter(({ record }) => networkParts(record.network).ensemble)
    .sort((a, b) => members(b) - members(a))
  for (const ensemble of ensembles) {
    const { base } = networkParts(ensemble.record.network)
    const plain = list.find(({ record }) => record.network === base)
    if (
      plain !== undefined &&
      (choice.network === undefined || [base, ensemble.record.network].includes(choice.network))
    )
      return [plain, ensemble]
  }
  throw new Error(
    `Expected finished AT runs of a network and of an ensemble of it, preset ${choice.preset}, found ${found(list)}; ` +
      'give two run folders or checkpoints instead',
  )
}

/** Figure 5: of one network the sparsest run of each pruning method, RVSM and RGSM before the others. */
export function sparsestOfEachMethod(runs: readonly FoundRun[], choice: Choice): FoundRun[] {
  const list = candidates(runs, choice).filter(({ record }) => !dense.includes(record.method))
  const methodsOf = (network: string): string[] => [
    ...new Set(list.filter(({ record }) => record.network === network).map(({ record }) => record.method)),
  ]
  const networks = choice.network === undefined ? networksOf(list) : [choice.network]
  // the first of those with most methods: a comparison is what the figure is for
  const network = networks.reduce<string | undefined>(
    (best, name) => (best !== undefined && methodsOf(best).length >= methodsOf(name).length ? best : name),
    undefined,
  )
  const methods = network === undefined ? [] : methodsOf(network).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
  if (methods.length === 0) {
    throw new Error(
      `Expected finished pruned runs${choice.network === undefined ? '' : ` of ${choice.network}`}, preset ${choice.preset}, found ${found(list)}; ` +
        'give run folders, checkpoints or lists of norms instead',
    )
  }
  return methods.map((method) => {
    const of = list.filter(({ record }) => record.network === network && record.method === method)
    return of.reduce((a, b) => (share(b.record) > share(a.record) ? b : a))
  })
}

const rank = (method: string): number => (['RVSM', 'RGSM'].includes(method) ? 0 : 1)
const share = ({ sparsity }: RunRecord): number => sparsity.inputChannels.zero / sparsity.inputChannels.total
