/** The results of a page: rows with whiskers, measured above published; cards instead of a table when the page is narrow. */
import { methodText, type Cell, type ColumnKey, type TableData, type TableRow } from '../tables/shared/table'
import { accuracyScale, whisker, type Scale } from './charts'
import {
  count,
  countsText,
  digitsOf,
  intervalText,
  MISSING,
  partialText,
  percent,
  points,
  publishedText,
  seedSpreadText,
  seedsText,
} from './format'
import { escape, tag } from './svg'

export function resultsTable(data: TableData): string {
  const kinds = data.columns.map((column) => column.kind)
  const accuracies = accuracyScale(data.rows, kinds)
  const scales = kinds.map((kind): Scale => (kind === 'accuracy' ? accuracies : { low: 0, high: 1 }))
  const marks = data.columns.map(({ key }) => marksOf(data, key).join(' '))
  const head = data.columns.map(({ key, title }, i) => {
    const links = marksOf(data, key)
      .map((mark) => tag('a', { href: `#note-${mark}` }, mark))
      .join(' ')
    return tag(
      'th',
      { scope: 'col' },
      escape(title),
      links === '' ? '' : tag('sup', {}, links),
      axis(scales[i] ?? accuracies),
    )
  })
  const body = data.rows.map((row) =>
    tag(
      'tr',
      row.records.length === 0 ? { class: 'absent' } : {},
      rowHead(row),
      ...row.cells.map((cell, i) => cellOf(cell, row, data.columns[i], scales[i], marks[i] ?? '')),
    ),
  )
  return tag(
    'div',
    { class: 'scroll' },
    tag(
      'table',
      { class: 'results' },
      tag('thead', {}, tag('tr', {}, tag('th', { scope: 'col' }, 'Network'), ...head)),
      tag('tbody', {}, body.join('\n')),
    ),
  )
}

function rowHead(row: TableRow): string {
  const size =
    row.n === null ? MISSING : `n = ${count(row.n)} · seed${row.seeds.length === 1 ? '' : 's'} ${seedsText(row)}`
  return tag(
    'th',
    { scope: 'row' },
    tag('span', { class: 'network' }, escape(row.network)),
    tag('span', { class: 'method' }, escape(methodText(row))),
    tag('span', { class: 'size' }, escape(size)),
    row.publishedLabel === null
      ? ''
      : tag('span', { class: 'beside' }, escape(`published: ${unbrokenParenthesis(row.publishedLabel)}`)),
  )
}

function marksOf(data: TableData, key: ColumnKey): string[] {
  return data.footnotes.filter(({ columns }) => columns.includes(key)).map(({ mark }) => mark)
}

/** Ends of the scale that the drawings below the heading share. */
function axis({ low, high }: Scale): string {
  return tag('span', { class: 'axis' }, tag('span', {}, percent(low, 0)), tag('span', {}, percent(high, 0)))
}

function cellOf(
  cell: Cell,
  row: TableRow,
  column: TableData['columns'][number] | undefined,
  scale: Scale | undefined,
  marks: string,
): string {
  const { title = '', kind = 'accuracy' } = column ?? {}
  const { measured } = cell
  const parts =
    measured === null
      ? [tag('span', { class: 'missing' }, MISSING)]
      : [
          tag('span', { class: 'value' }, percent(measured.value, digitsOf(measured, kind))),
          tag(
            'span',
            { class: 'interval' },
            escape(intervalText(measured, kind) || seedSpreadText(measured, kind) || countsText(measured, kind)),
          ),
          tag('span', { class: 'partial' }, escape(partialText(measured, row, kind))),
        ]
  const difference =
    cell.difference === null ? '' : tag('span', { class: 'difference' }, `Δ ${points(cell.difference)}`)
  const published = cell.published === null ? '' : tag('span', { class: 'published' }, publishedText(cell.published))
  const below = published === '' && difference === '' ? '' : tag('span', { class: 'below' }, published, difference)
  const drawing = measured === null && cell.published === null ? '' : whisker(cell, kind, scale ?? { low: 0, high: 1 })
  return tag(
    'td',
    { 'data-label': title, 'data-notes': marks },
    ...parts.filter((part) => !part.endsWith('></span>')),
    drawing,
    below,
  )
}

/** `CIFAR-10 ResNet20 (other network, other data)` breaks before the parenthesis and nowhere else in it. */
function unbrokenParenthesis(label: string): string {
  return label.replace(/\(.*\)/, (inside) => inside.replace(/ /g, '\u00a0'))
}
