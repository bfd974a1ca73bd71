/** Records -> rows of a table: which runs belong to a row, what a cell shows, and whether it may be compared. */
import { canonicalJson } from '../../records/canonical'
import { meanStd, wilson } from '../../records/intervals'
import type { RunRecord } from '../../records/record'
import { methodText, sameRow, type Cell, type Column, type Measured, type Row, type TableRow } from './table'

export interface Selection {
  used: RunRecord[]
  leftOut: string[]
}

/**
 * The runs of a row: one configuration (apart from the seed), one run a seed. When the records hold several
 * configurations, the one with the newest run is taken and the others are named, since a mean over both says nothing.
 */
export function selectRuns(row: Row, records: readonly RunRecord[]): Selection {
  const matching = records.filter((record) => sameRow(record, row))
  const newestFirst = [...matching].sort((a, b) =>
    a.date === b.date ? compare(a.hash, b.hash) : compare(b.date, a.date),
  )
  const newest = newestFirst[0]
  if (newest === undefined) return { used: [], leftOut: [] }
  const wanted = configurationOf(newest)
  const used = new Map<number, RunRecord>()
  const leftOut: string[] = []
  for (const record of newestFirst) {
    const name = `${row.network} ${methodText(row)}, seed ${record.seed}, ${record.hash} of ${record.date.slice(0, 10)}`
    if (configurationOf(record) !== wanted) leftOut.push(`${name}: another configuration than ${newest.hash}`)
    else if (used.has(record.seed)) leftOut.push(`${name}: a newer run of the same seed is used`)
    else used.set(record.seed, record)
  }
  return { used: [...used.values()].sort((a, b) => a.seed - b.seed), leftOut }
}

/** Everything that has to be equal before runs are averaged. Machine and versions may differ: the conditions name them. */
function configurationOf({ config, preset, data, epsilon, epochs, measured }: RunRecord): string {
  const tested = { data: data.checksum, n: measured.natural.n, draws: measured.draws, epsilon }
  return canonicalJson({ config: withoutIdentity(config), preset, epochs, tested })
}

const identity = ['seed', 'threads', 'versions', 'torch', 'python', 'node', 'feynkac', 'commit']

/** The configuration at any depth without seed, threads and versions, which belong to a run's hash but not to its method. */
function withoutIdentity(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIdentity)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([key]) => !identity.includes(key))
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutIdentity(item)]))
}

export function buildRow(row: Row, records: RunRecord[], columns: readonly Column[]): TableRow {
  const comparable = row.published !== null && records.length > 0 && records.every((r) => isComparable(row, r))
  const cells = columns.map((column): Cell => {
    const measured = measure(column, records)
    const published = row.published === null ? null : column.published(row.published)
    const both = comparable && measured !== null && published !== null
    return { column: column.key, measured, published, difference: both ? measured.value - published : null }
  })
  const seeds = records.map((record) => record.seed)
  const n = cells.find((cell) => cell.column === 'natural')?.measured?.n ?? null
  return { ...row, cells, records, seeds, n, comparable, publishedLabel: publishedLabel(row, records) }
}

function measure(column: Column, records: readonly RunRecord[]): Measured | null {
  const found = records.flatMap((record) => {
    const counts = column.read(record)
    return counts === null ? [] : [{ ...counts, testN: record.data.testN }]
  })
  const first = found[0]
  if (first === undefined) return null
  const perSeed = found.map(({ part, whole }) => part / whole)
  const { mean, std } = meanStd(perSeed)
  const cutShort = column.kind === 'accuracy' && found.some(({ whole, testN }) => whole < testN)
  return {
    value: mean,
    std,
    seeds: found.length,
    interval: column.kind === 'accuracy' && found.length === 1 ? wilson(first.part, first.whole) : null,
    n: Math.min(...found.map(({ whole }) => whole)),
    partial: cutShort || found.length < records.length,
    perSeed,
  }
}

/** Same network and the official release of the same data set; nothing else may be subtracted. */
function isComparable(row: Row, record: RunRecord): boolean {
  if (row.published === null || row.published.network !== row.network) return false
  return record.data.official && sameData(record.data.name, row.published.dataset)
}

/** `cifar10`, `CIFAR-10` and `CIFAR10` name the same data set. */
export function sameData(a: string, b: string): boolean {
  const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '')
  return plain(a) === plain(b)
}

/** `CIFAR-10 ResNet20`, and in parentheses what keeps it from being compared. */
function publishedLabel({ published, network }: Row, records: readonly RunRecord[]): string | null {
  if (published === null) return null
  const sameNames = records.every(({ data }) => sameData(data.name, published.dataset))
  const differences = [
    ...(published.network === network ? [] : ['other network']),
    ...(sameNames ? [] : ['other data']),
    ...(sameNames && records.some(({ data }) => !data.official) ? ['ours is no official copy of the data'] : []),
  ]
  const label = `${published.dataset.replace(/^CIFAR(\d+)$/, 'CIFAR-$1')} ${published.network}`
  return differences.length === 0 ? label : `${label} (${differences.join(', ')})`
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
