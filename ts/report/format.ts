/** Fractions to text: the only place where "%" and digits are decided. */
import type { Cell, Column, Fact, Measured, TableRow, Verdict } from '../tables/shared/table'

export const MISSING = 'missing'
/** A number the paper does not print. */
export const NOT_PRINTED = '–'

/** 0.786 -> `78.6`; one digit below 5,000 images, where a second one would be noise. */
export function percent(fraction: number, digits: number): string {
  return (100 * fraction).toFixed(digits)
}

/** In points, with its sign: `+1.20`, `−0.40`. */
export function points(fraction: number, digits = 2): string {
  const size = Math.abs(100 * fraction).toFixed(digits)
  return Number(size) === 0 ? size : `${fraction < 0 ? '−' : '+'}${size}`
}

type Kind = Column['kind']

export function digitsOf(measured: Measured, kind: Kind): number {
  return kind === 'sparsity' || measured.n >= 5000 ? 2 : 1
}

/** `78.6`, or `78.6 ± 0.5` over several seeds. */
export function valueText(measured: Measured, kind: Kind): string {
  const digits = digitsOf(measured, kind)
  const value = percent(measured.value, digits)
  return measured.std === null ? value : `${value} ± ${percent(measured.std, digits)}`
}

/** `± 0.5 over 3 seeds`, or '' for a single run. */
export function seedSpreadText(measured: Measured, kind: Kind): string {
  if (measured.std === null) return ''
  return `± ${percent(measured.std, digitsOf(measured, kind))}, ${measured.seeds} seeds`
}

/** `[76.0, 81.0]` or '' where there is no interval. */
export function intervalText(measured: Measured, kind: Kind): string {
  if (measured.interval === null) return ''
  const digits = digitsOf(measured, kind)
  return `[${percent(measured.interval.low, digits)}, ${percent(measured.interval.high, digits)}]`
}

/** `69 of 225`: the counts behind the sparsity of a single run. */
export function countsText(measured: Measured, kind: Kind): string {
  if (kind !== 'sparsity' || measured.seeds > 1) return ''
  return `${count(Math.round(measured.value * measured.n))} of ${count(measured.n)}`
}

/** What is incomplete about a cell: its n, and the seeds it has when the row has more. */
export function partialText(measured: Measured, row: TableRow, kind: Kind): string {
  if (!measured.partial) return ''
  const parts = kind === 'accuracy' && measured.n !== row.n ? [`n = ${count(measured.n)}`] : []
  if (measured.seeds < row.records.length) parts.push(`${measured.seeds} of ${row.records.length} seeds`)
  return parts.join(', ')
}

export function measuredText(cell: Cell, row: TableRow, kind: Kind): string {
  if (cell.measured === null) return MISSING
  const partial = partialText(cell.measured, row, kind)
  const pieces = [valueText(cell.measured, kind), intervalText(cell.measured, kind), partial && `(${partial})`]
  return pieces.filter((piece) => piece !== '').join(' ')
}

export function publishedText(published: number | null): string {
  return published === null ? NOT_PRINTED : percent(published, 2)
}

/** `0`, `0, 1, 2`. */
export function seedsText(row: TableRow): string {
  return row.records.length === 0 ? MISSING : row.seeds.join(', ')
}

export function count(n: number): string {
  return n.toLocaleString('en-US')
}

export function factsText(facts: readonly Fact[]): string {
  return facts.map(({ label, value }) => `${label}: ${value}`).join(' · ')
}

export const outcomeMarks: Record<Verdict['outcome'], string> = {
  holds: '✓',
  'does not hold': '✗',
  'not enough data': '?',
}

/** The numbers of a verdict in one phrase. */
export function evidenceText({ quantity: words, evidence }: Verdict): string {
  const quantity = words.charAt(0).toUpperCase() + words.slice(1)
  if (evidence.kind === 'missing') return `${quantity} is missing for ${evidence.rows.join(' and ')}`
  const { a, b } = evidence
  if (evidence.kind === 'ranges') {
    const side = (s: typeof evidence.a): string =>
      `${percent(s.low, 1)} to ${percent(s.high, 1)} % (${s.row}, ${s.seeds} seeds)`
    return `${quantity} ${side(evidence.b)} against ${side(evidence.a)}`
  }
  const { value, low, high } = evidence.change
  const change = `${points(value, 1)} points, 95 % interval ${points(low, 1)} to ${points(high, 1)}`
  return `${quantity} ${percent(b.value, 1)} % (${b.row}) against ${percent(a.value, 1)} % (${a.row}): ${change}`
}
