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

/** Accuracies are compared of networks whose sparsities differ by at most this, or of the sparser one that is also better. */
const AS_SPARSE = 0.02

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

type Sparsity = 'inputChannelSparsity' | 'weightSparsity'

/** What a method makes sparse. */
const sparsityOf = ({ hyper }: TableRow): Sparsity =>
  hyper.lambda1 === null ? 'weightSparsity' : 'inputChannelSparsity'
const sparser: Record<Sparsity, string> = {
  inputChannelSparsity: 'sparser in channels',
  weightSparsity: 'sparser in weights',
}

/** An ensemble is sparser than its plain network at equal hyper-parameters. */
export function ensembleIsSparser(rows: readonly TableRow[]): Verdict[] {
  return ensemblePairs(rows.filter((row) => row.method !== 'AT')).map(([plain, ensemble]) => {
    const key = sparsityOf(plain)
    const equal = `equal ${plain.hyper.lambda1 === null ? 'β' : 'λ1'} (${methodText(plain)})`
    return judge(
      `${ensemble.network} is ${sparser[key]} than ${plain.network} at ${equal}`,
      key,
      plain,
      ensemble,
      'more',
    )
  })
}

/** More pruning pressure, more zero channels, within one network. */
export function moreLambdaIsSparser(rows: readonly TableRow[]): Verdict[] {
  return pruned(rows.filter(({ method }) => method === 'RGSM')).flatMap((group) =>
    neighbours(group).map(([less, row]) => {
      const claim = `${row.network}: λ1 = ${row.hyper.lambda1} is sparser in channels than λ1 = ${less.hyper.lambda1}`
      return judge(claim, 'inputChannelSparsity', less, row, 'more')
    }),
  )
}

/** The threshold of RVSM is sqrt(2 lambda / beta): a smaller beta prunes more. */
export function smallerBetaIsSparser(rows: readonly TableRow[]): Verdict[] {
  return pruned(rows.filter(({ method }) => method === 'RVSM')).flatMap((group) =>
    neighbours(group).map(([less, row]) => {
      const claim = `${row.network}: β = ${row.hyper.beta} is sparser in weights than β = ${less.hyper.beta}`
      return judge(claim, 'weightSparsity', less, row, 'more')
    }),
  )
}

/** The mildest pruning costs no accuracy beyond the interval. */
export function pruningKeepsAccuracy(rows: readonly TableRow[]): Verdict[] {
  return pruned(rows).flatMap(([row]) => {
    const dense = rows.find((other) => other.network === row!.network && other.method === 'AT')
    if (dense === undefined) return []
    return (['natural', 'ifgsm20'] as const).map((key) =>
      judge(
        `${row!.network}: ${methodText(row!)} keeps the ${words[key]} of the dense net`,
        key,
        dense,
        row!,
        'no less',
      ),
    )
  })
}

/** An ensemble is more robust than its plain network, dense against dense. */
export function ensembleIsMoreRobust(rows: readonly TableRow[]): Verdict[] {
  return ensemblePairs(rows.filter((row) => row.method === 'AT')).map(([plain, ensemble]) =>
    judge(`Dense ${ensemble.network} is more robust than dense ${plain.network}`, 'ifgsm20', plain, ensemble, 'more'),
  )
}

/** An ensemble is more accurate on natural images than its plain network, dense against dense. */
export function ensembleIsMoreAccurate(rows: readonly TableRow[]): Verdict[] {
  return ensemblePairs(rows.filter((row) => row.method === 'AT')).map(([plain, ensemble]) =>
    judge(
      `${ensemble.network} is more accurate on natural images than ${plain.network}`,
      'natural',
      plain,
      ensemble,
      'more',
    ),
  )
}

/** An ensemble against a deeper network of its size: sparser, and no less accurate or robust, at equal constants. */
export function sizedEnsembleIsBetter(rows: readonly TableRow[]): Verdict[] {
  const pairs = rows
    .filter(({ network }) => networkParts(network).ensemble)
    .flatMap((ensemble): [TableRow, TableRow][] => {
      const other = rows.find((row) => !networkParts(row.network).ensemble && sameMethod(row, ensemble))
      return other === undefined ? [] : [[other, ensemble]]
    })
  return pairs.flatMap(([single, ensemble]) => [
    ...(ensemble.method === 'AT'
      ? []
      : [
          judge(
            `${ensemble.network} is sparser in channels than ${single.network} (${methodText(single)})`,
            'inputChannelSparsity',
            single,
            ensemble,
            'more',
          ),
        ]),
    ...(['natural', 'ifgsm20'] as const).map((key) =>
      judge(
        `${ensemble.network} has the higher ${words[key]} than ${single.network} (${methodText(single)})`,
        key,
        single,
        ensemble,
        'more',
      ),
    ),
  ])
}

/** RVSM and RGSM against ADMM: much sparser than the published variant, and more accurate than either variant. */
export function relaxedBeatsAdmm(rows: readonly TableRow[]): Verdict[] {
  return rows
    .filter(({ method }) => method === 'RVSM' || method === 'RGSM')
    .flatMap((relaxed) => {
      const of = relaxed.method === 'RVSM' ? 'weights' : 'channels'
      const key = sparsityOf(relaxed)
      return rows
        .filter(({ method }) => method.startsWith(`ADMM ${of}`))
        .flatMap((admm) => [
          ...(admm.method.endsWith('(paper)')
            ? [
                judge(
                  `${relaxed.network}: ${relaxed.method} is ${sparser[key]} than ${admm.method}`,
                  key,
                  admm,
                  relaxed,
                  'more',
                ),
              ]
            : []),
          ...(['natural', 'ifgsm20'] as const).map((accuracy) =>
            unlessSparser(
              key,
              admm,
              relaxed,
              judge(
                `${relaxed.network}: ${relaxed.method} has the higher ${words[accuracy]} than ${admm.method}, and is as sparse`,
                accuracy,
                admm,
                relaxed,
                'more',
              ),
            ),
          ),
        ])
    })
}

/** A higher accuracy says nothing about the methods while the other network has more zeros. */
function unlessSparser(key: Sparsity, other: TableRow, mine: TableRow, verdict: Verdict): Verdict {
  const [x, y] = [measuredOf(other, key), measuredOf(mine, key)]
  if (verdict.outcome !== 'holds' || x === null || y === null || y.value >= x.value - AS_SPARSE) return verdict
  const percent = ({ value }: Measured): string => (100 * value).toFixed(1)
  const why = `not decided, since ${other.method} is ${sparser[key]} (${percent(x)} against ${percent(y)} %)`
  return { ...verdict, outcome: 'not enough data', test: `${verdict.test}; ${why}` }
}

/** Networks with skip connections against those without. */
export function skipsHelp(rows: readonly TableRow[]): Verdict[] {
  return rows.flatMap((plain) => {
    const skip = rows.find(({ network }) => plain.network === `${network} without skips`)
    if (skip === undefined) return []
    return (['natural', 'ifgsm20'] as const).map((key) =>
      judge(`${skip.network} loses ${words[key]} without skip connections`, key, plain, skip, 'more'),
    )
  })
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
  if (isSparsity(key) && x.seeds > 1 && y.seeds > 1) {
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
  const units = isSparsity(key)
    ? `${key === 'weightSparsity' ? 'weights' : 'channels'} (a second seed would say more)`
    : 'test images'
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

const isSparsity = (key: ColumnKey): key is Sparsity => key === 'inputChannelSparsity' || key === 'weightSparsity'
const sameMethod = (a: TableRow, b: TableRow): boolean => a.method === b.method && sameHyper(a.hyper, b.hyper)

function ensemblePairs(rows: readonly TableRow[]): [plain: TableRow, ensemble: TableRow][] {
  return rows.flatMap((ensemble): [TableRow, TableRow][] => {
    const { ensemble: isEnsemble, base } = networkParts(ensemble.network)
    const plain = rows.find((row) => row.network === base && sameMethod(row, ensemble))
    return isEnsemble && plain !== undefined ? [[plain, ensemble]] : []
  })
}

/** Rows of RGSM and RVSM by network, each group from the mildest pruning on: growing lambda1, falling beta. */
function pruned(rows: readonly TableRow[]): TableRow[][] {
  const strength = ({ hyper: { lambda, lambda1, beta } }: TableRow): number => (lambda1 ?? lambda ?? 0) / (beta ?? 1)
  const found = rows.filter(({ method }) => method === 'RGSM' || method === 'RVSM')
  return [...new Set(found.map(({ network }) => network))].map((network) =>
    found.filter((row) => row.network === network).sort((a, b) => strength(a) - strength(b)),
  )
}

const neighbours = (group: readonly TableRow[]): [milder: TableRow, row: TableRow][] =>
  group.slice(1).map((row, i) => [group[i]!, row])

function measuredOf(row: TableRow, key: ColumnKey): Measured | null {
  return row.cells.find((cell) => cell.column === key)?.measured ?? null
}

const nameOf = (row: TableRow): string => `${row.network} ${methodText(row)}`
const count = (n: number): string => n.toLocaleString('en-US')
