/**
 * A table as CSV (RFC 4180), one row a cell, for spreadsheets and data frames: fractions in full precision, empty fields
 * where nothing was measured, published or comparable.
 */
import type { Hyper } from '../records/record'
import type { TableData } from '../tables/shared/table'

const head = [
  'table',
  'preset',
  'network',
  'method',
  'hyper',
  'column',
  'measured',
  'low',
  'high',
  'std',
  'seeds',
  'n',
  'published',
  'difference',
]

/** One line a cell; `low` and `high` are the 95 % interval of a single run, `seeds` counts the runs of the cell. */
export function toCsv(data: TableData): string {
  const lines = data.rows.flatMap((row) =>
    row.cells.map(({ column, measured, published, difference }) => [
      data.table,
      data.preset,
      row.network,
      row.method,
      hyperText(row.hyper),
      column,
      measured?.value,
      measured?.interval?.low,
      measured?.interval?.high,
      measured?.std,
      measured?.seeds,
      measured?.n,
      published,
      difference,
    ]),
  )
  return [head, ...lines].map((line) => `${line.map(field).join(',')}\r\n`).join('')
}

/** `beta=1 lambda1=0.05`: only what the method has. */
const hyperText = (hyper: Hyper): string =>
  Object.entries(hyper)
    .flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]))
    .join(' ')

function field(value: string | number | null | undefined): string {
  const text = value === null || value === undefined ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
