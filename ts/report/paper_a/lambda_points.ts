/** Figures 3 and 4 of paper A, their numbers: sparsity and accuracies of networks against lambda1, over seeds. */
import { canonicalJson } from '../../records/canonical'
import { meanStd, wilson } from '../../records/intervals'
import type { RunRecord } from '../../records/record'
import { selectRuns } from '../../tables/shared/build'
import type { LambdaPoint } from '../lambda_panel'

/** What is drawn against lambda1. */
export const quantities = {
  channels: ({ sparsity }: RunRecord) => counted(sparsity.inputChannels.zero, sparsity.inputChannels.total),
  natural: ({ measured }: RunRecord) => counted(measured.natural.correct, measured.natural.n),
  fgsm: attack('fgsm'),
  ifgsm20: attack('ifgsm20'),
  cw: attack('cw_paper'),
} as const

/** What the points show: a sparsity or an accuracy. */
export type Quantity = keyof typeof quantities

interface Counted {
  readonly part: number
  readonly whole: number
}

const counted = (part: number, whole: number): Counted => ({ part, whole })

function attack(name: string) {
  return ({ measured }: RunRecord): Counted | null => {
    const count = measured.attacks[name]
    return count === undefined ? null : counted(count.correct, count.n)
  }
}

/** The runs behind the figures: dense (AT) and RGSM of one preset, for each row one configuration and one run a seed; networks with a single lambda1 only where they are named. */
export function lambdaRuns(
  records: readonly RunRecord[],
  preset: string,
  networks?: readonly string[],
): { used: RunRecord[]; leftOut: string[] } {
  const wanted = records.filter(
    (record) =>
      record.preset === preset &&
      (record.method === 'AT' || record.method === 'RGSM') &&
      (networks === undefined || networks.includes(record.network)),
  )
  const selections = rowsOf(networks === undefined ? wanted.filter((record) => isSeries(record, wanted)) : wanted).map(
    (rows) => selectRuns({ ...rows[0]!, published: null }, rows),
  )
  return { used: selections.flatMap(({ used }) => used), leftOut: selections.flatMap(({ leftOut }) => leftOut) }
}

/** Whether the network of a run has several values of lambda1: one point is no curve. */
const isSeries = ({ network }: RunRecord, runs: readonly RunRecord[]): boolean =>
  new Set(runs.filter((run) => run.network === network).map(({ hyper }) => hyper.lambda1)).size > 1

/** Runs of one network, method and hyper-parameters together. */
function rowsOf(records: readonly RunRecord[]): RunRecord[][] {
  const rows = new Map<string, RunRecord[]>()
  for (const record of records) {
    const { network, method, hyper } = record
    const key = canonicalJson({ network, method, hyper })
    rows.set(key, [...(rows.get(key) ?? []), record])
  }
  return [...rows.values()]
}

/**
 * One point for each row that has the quantity, by network and lambda1. Bars are one standard deviation over seeds; of a
 * single run the 95 % Wilson interval of an accuracy, nothing of a sparsity.
 */
export function lambdaPoints(runs: readonly RunRecord[], quantity: Quantity): LambdaPoint[] {
  const points = rowsOf(runs).flatMap((row): LambdaPoint[] => {
    const [first] = row as [RunRecord]
    const counts = row.flatMap((record) => quantities[quantity](record) ?? [])
    if (counts.length === 0) return []
    const perSeed = counts.map(({ part, whole }) => part / whole)
    const { mean, std } = meanStd(perSeed)
    const interval =
      std === null && quantity !== 'channels'
        ? wilson(counts[0]!.part, counts[0]!.whole)
        : { low: mean - (std ?? 0), high: mean + (std ?? 0) }
    return [{ network: first.network, lambda: first.hyper.lambda1 ?? 0, value: mean, ...interval, perSeed }]
  })
  return points.sort((a, b) => (a.network === b.network ? a.lambda - b.lambda : a.network < b.network ? -1 : 1))
}
