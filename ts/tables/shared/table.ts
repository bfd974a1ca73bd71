/**
 * What a table is: published rows, the rows of each preset, and a pure function from records to table data.
 * One published table per file; its default export satisfies {@link Table}. Fractions everywhere, "%" in ts/report.
 */
import type { Interval } from '../../records/intervals'
import type { Hyper, RunRecord } from '../../records/record'

/** A row as its paper prints it; null where the paper prints nothing. */
export interface PublishedRow {
  paper: string
  table: string
  dataset: string
  network: string
  method: string
  hyper: Hyper
  natural: number | null
  fgsm: number | null
  ifgsm20: number | null
  cw: number | null
  weightSparsity: number | null
  channelSparsity: number | null
  note: string | null
}

/** What tells the rows of one preset apart. */
export interface RowIdentity {
  network: string
  method: string
  hyper: Hyper
}

export interface Row extends RowIdentity {
  /** The published row it is set beside; its network may be another one (then there is no difference). */
  published: PublishedRow | null
}

export type ColumnKey = 'natural' | 'fgsm' | 'ifgsm20' | 'cw' | 'inputChannelSparsity' | 'weightSparsity'

export interface Column {
  key: ColumnKey
  title: string
  kind: 'accuracy' | 'sparsity'
  /** Counts of a record, or null when that run did not measure it. */
  read(record: RunRecord): { part: number; whole: number } | null
  published(row: PublishedRow): number | null
}

/** One cell as measured: a single run, or the mean over several seeds. */
export interface Measured {
  /** Fraction; the mean when there are several seeds. */
  value: number
  /** Over seeds; null for a single one. */
  std: number | null
  seeds: number
  /** 95 % Wilson interval of a single run's accuracy; null over several seeds and for sparsities, which are counts. */
  interval: Interval | null
  /** Test images (or weights, or channels) of one run: the smallest over the seeds. */
  n: number
  /** Fewer images than the test split has, or fewer seeds than the row has runs. */
  partial: boolean
  perSeed: number[]
}

export interface Cell {
  column: ColumnKey
  measured: Measured | null
  published: number | null
  /** measured - published; null unless both were measured on the same official data with the same network. */
  difference: number | null
}

export interface TableRow extends Row {
  cells: Cell[]
  /** The runs behind the row, by seed; empty for a missing row. */
  records: RunRecord[]
  seeds: number[]
  /** Test images of the natural accuracy; null for a missing row. */
  n: number | null
  /** True when a difference from the published row means something. */
  comparable: boolean
  /** `CIFAR-10 ResNet20 (other network, other data)`: what the published row is, and what keeps it from being compared. */
  publishedLabel: string | null
}

export interface Fact {
  label: string
  value: string
}

export interface Footnote {
  mark: string
  /** Columns whose heading carries the mark; empty: a note on the whole table. */
  columns: ColumnKey[]
  text: string
}

/** One side of a comparison: a row in words and its fraction. */
export interface Side {
  row: string
  value: number
}

export type Evidence =
  | { kind: 'missing'; rows: string[] }
  | { kind: 'proportions'; a: Side; b: Side; change: Interval & { value: number } }
  | { kind: 'ranges'; a: Side & Interval & { seeds: number }; b: Side & Interval & { seeds: number } }

export interface Verdict {
  claim: string
  outcome: 'holds' | 'does not hold' | 'not enough data'
  quantity: string
  evidence: Evidence
  /** How it was judged, in words. */
  test: string
}

/** A table with its numbers, ready for the renderers. */
export interface TableData {
  table: string
  title: string
  source: string
  preset: string
  /** Name of the data set of the measured rows (several: joined by ", "); null when nothing was measured. */
  data: string | null
  columns: Pick<Column, 'key' | 'title' | 'kind'>[]
  rows: TableRow[]
  footnotes: Footnote[]
  conditions: Fact[]
  verdicts: Verdict[]
  missing: (RowIdentity & { columns: ColumnKey[] })[]
  /** Records that match a row but were not used, with the reason. */
  leftOut: string[]
}

/** A published table: its rows, and what makes data of records. */
export interface Table {
  name: string
  title: string
  source: string
  /** The published data set: `CIFAR10` or `CIFAR100`. */
  dataset: 'CIFAR10' | 'CIFAR100'
  published: readonly PublishedRow[]
  columns: readonly Column[]
  presets: readonly string[]
  /** Rows of a preset, in order; throws for an unknown name and lists the known ones. */
  rows(preset: string): Row[]
  build(records: readonly RunRecord[], preset: string): TableData
}

export function sameHyper(a: Hyper, b: Hyper): boolean {
  return a.beta === b.beta && a.lambda === b.lambda && a.lambda1 === b.lambda1 && a.lambda2 === b.lambda2
}

export function sameRow(a: RowIdentity, b: RowIdentity): boolean {
  return a.network === b.network && a.method === b.method && sameHyper(a.hyper, b.hyper)
}

/** `ResNet20`, `En2ResNet20` -> members (1 for a plain net), base `ResNet20`. */
export function networkParts(network: string): { members: number; ensemble: boolean; base: string } {
  const match = /^(?:En(\d+))?(.+)$/.exec(network)
  return { members: Number(match?.[1] ?? 1), ensemble: match?.[1] !== undefined, base: match?.[2] ?? network }
}

/** 0.05 and 1e-6, where JavaScript would print 0.000001. */
export const shortNumber = (value: number): string =>
  value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value)

/** `AT`, `RGSM λ1 = 0.05`: a row in words, without its network. */
export function methodText({ method, hyper }: Pick<RowIdentity, 'method' | 'hyper'>): string {
  if (hyper.lambda1 !== null) return `${method} λ1 = ${shortNumber(hyper.lambda1)}`
  const { lambda, beta } = hyper
  if (lambda !== null && beta !== null) return `${method} λ = ${shortNumber(lambda)}, β = ${shortNumber(beta)}`
  return method
}
