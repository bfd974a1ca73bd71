/** Ordering claims of a paper, judged on measured rows: what short runs can speak to (they cannot match absolute numbers). */
import { difference } from '../../records/intervals'
import {
  methodText,
  networkParts,
  sameHyper,
  type ColumnKey,
  type Measured,
  type TableRow,
  type Verdict,
} from './table'

/** A drop of this size has to be excluded before "no drop" counts as an answer. */
const MARGIN = 0.05

const words: Record<ColumnKey, string> = {
  natural: 'natural accuracy',
  fgsm: 'FGSM accuracy',
  ifgsm20: 'IFGSM20 accuracy',
  cw: 'C&W accuracy',
  inputChannelSparsity: 'channel sparsity',
  weightSparsity: 'weight sparsity',
}

/** An ensemble is sparser than its plain network at equal hyper-parameters. */
export function ensembleIsSparser(rows: readonly TableRow[]): Verdict[] {
  return ensemblePairs(rows.filter((row) => row.method !== 'AT')).map(([plain, ensemble]) =>
    judge(
      `${ensemble.network} is sparser in channels than ${plain.network} at equal λ1 (${methodText(plain)})`,
      'inputChannelSparsity',
      plain,
      ensemble,
      'more',
    ),
  )
}

/** More pruning pressure, more zero channels, within one network. */
export function moreLambdaIsSparser(rows: readonly TableRow[]): Verdict[] {
  return pruned(rows).flatMap((group) =>
    group.slice(1).map((row, i) => {
      const less = group[i] as TableRow
      const claim = `${row.network}: λ1 = ${row.hyper.lambda1} is sparser in channels than λ1 = ${less.hyper.lambda1}`
      return judge(claim, 'inputChannelSparsity', less, row, 'more')
    }),
  )
}

/** Pruning at the smallest lambda1 costs no accuracy beyond the interval. */
export function pruningKeepsAccuracy(rows: readonly TableRow[]): Verdict[] {
  return pruned(rows).flatMap((group) => {
    const row = group[0] as TableRow
    const dense = rows.find((other) => other.network === row.network && other.method === 'AT')
    if (dense === undefined) return []
    return (['natural', 'ifgsm20'] as const).map((key) =>
      judge(`${row.network}: ${methodText(row)} keeps the ${words[key]} of the dense net`, key, dense, row, 'no less'),
    )
  })
}

/** An ensemble is more robust than its plain network, dense against dense. */
export function ensembleIsMoreRobust(rows: readonly TableRow[]): Verdict[] {
  return ensemblePairs(rows.filter((row) => row.method === 'AT')).map(([plain, ensemble]) =>
    judge(`Dense ${ensemble.network} is more robust than dense ${plain.network}`, 'ifgsm20', plain, ensemble, 'more'),
  )
}

function judge(claim: string, key: ColumnKey, a: TableRow, b: TableRow, wanted: 'more' | 'no less'): Verdict {
  const [x, y] = [measuredOf(a, key), measuredOf(b, key)]
  const quantity = words[key]
  if (x === null || y === null) {
    const rows = [...(x === null ? [nameOf(a)] : []), ...(y === null ? [nameOf(b)] : [])]
    const test = 'none: both rows have to be measured'
    return { claim, outcome: 'not enough data', quantity, evidence: { kind: 'missing', rows }, test }
  }
  const sides = { a: { row: nameOf(a), value: x.value }, b: { row: nameOf(b), value: y.value } }
  if (key === 'inputChannelSparsity' && x.seeds > 1 && y.seeds > 1) {
    // A sparsity is an exact count; its spread is that between seeds, and a few seeds carry no more than their range.
    const [rangeA, rangeB] = [
      { ...sides.a, ...range(x) },
      { ...sides.b, ...range(y) },
    ]
    const outcome = rangeB.low > rangeA.high ? 'holds' : rangeB.high < rangeA.low ? 'does not hold' : 'not enough data'
    const test = 'ranges over seeds; decided when they do not overlap'
    return { claim, outcome, quantity, evidence: { kind: 'ranges', a: rangeA, b: rangeB }, test }
  }
  const change = difference({ part: x.value * x.n, n: x.n }, { part: y.value * y.n, n: y.n })
  const yes = wanted === 'more' ? change.low > 0 : change.high >= 0 && change.low >= -MARGIN
  const outcome = yes ? 'holds' : change.high < 0 ? 'does not hold' : 'not enough data'
  return {
    claim,
    outcome,
    quantity,
    evidence: { kind: 'proportions', ...sides, change },
    test: testText(key, x, y, wanted),
  }
}

function testText(key: ColumnKey, x: Measured, y: Measured, wanted: 'more' | 'no less'): string {
  const units = key === 'inputChannelSparsity' ? 'channels (a second seed would say more)' : 'test images'
  const sizes = x.n === y.n ? `n = ${count(x.n)}` : `n = ${count(x.n)} and ${count(y.n)}`
  const rule =
    wanted === 'more'
      ? 'holds when it lies above 0'
      : `holds when it reaches 0 and excludes a drop beyond ${100 * MARGIN} points`
  return `Newcombe interval of the difference over ${units}, ${sizes}, taken as independent samples; ${rule}`
}

function range({ perSeed, seeds }: Measured): { low: number; high: number; seeds: number } {
  return { low: Math.min(...perSeed), high: Math.max(...perSeed), seeds }
}

function ensemblePairs(rows: readonly TableRow[]): [plain: TableRow, ensemble: TableRow][] {
  return rows.flatMap((ensemble): [TableRow, TableRow][] => {
    const { ensemble: isEnsemble, base } = networkParts(ensemble.network)
    const same = (row: TableRow): boolean => row.method === ensemble.method && sameHyper(row.hyper, ensemble.hyper)
    const plain = rows.find((row) => row.network === base && same(row))
    return isEnsemble && plain !== undefined ? [[plain, ensemble]] : []
  })
}

/** Pruned rows by network, each group by growing lambda1. */
function pruned(rows: readonly TableRow[]): TableRow[][] {
  const lambda1 = (row: TableRow): number => row.hyper.lambda1 ?? 0
  const found = rows.filter((row) => row.hyper.lambda1 !== null)
  return [...new Set(found.map((row) => row.network))].map((network) =>
    found.filter((row) => row.network === network).sort((a, b) => lambda1(a) - lambda1(b)),
  )
}

function measuredOf(row: TableRow, key: ColumnKey): Measured | null {
  return row.cells.find((cell) => cell.column === key)?.measured ?? null
}

const nameOf = (row: TableRow): string => `${row.network} ${methodText(row)}`
const count = (n: number): string => n.toLocaleString('en-US')
