/** A table as plain text for a terminal: intervals below the values so that 80 columns are enough, blocks when narrower. */
import {
  methodText,
  type Cell,
  type ColumnKey,
  type Measured,
  type TableData,
  type TableRow,
} from '../tables/shared/table'
import {
  count,
  digitsOf,
  evidenceText,
  factsText,
  MISSING,
  NOT_PRINTED,
  outcomeMarks,
  measuredText,
  partialText,
  percent,
  points,
  publishedText,
  seedsText,
} from './format'
import { missingLines } from './markdown'

/** How the table is fitted to a terminal. */
export interface TerminalOptions {
  /** Columns available; default 80. */
  width?: number
  /** ANSI colours; off unless asked for. */
  color?: boolean
  /** Footnotes at the end; on unless switched off. */
  notes?: boolean
}

interface Line {
  text: string
  style: 'plain' | 'bold' | 'dim'
}

const headings: Record<ColumnKey, [string, string]> = {
  natural: ['Natural', '%'],
  fgsm: ['FGSM', '%'],
  ifgsm20: ['IFGSM20', '%'],
  cw: ['C&W', '%'],
  inputChannelSparsity: ['Channel', 'spars. %'],
  weightSparsity: ['Weight', 'spars. %'],
}

/** The table as plain text lines for a terminal. */
export function toTerminal(data: TableData, { width = 80, color = false, notes = true }: TerminalOptions = {}): string {
  const lines: Line[] = [
    ...wrap(data.title, width, 'bold'),
    ...wrap(`${data.source}; preset ${data.preset}`, width, 'dim'),
    { text: '', style: 'plain' },
    ...(grid(data, width) ?? blocks(data, width)),
  ]
  const facts = data.conditions.length === 0 ? 'Nothing measured yet.' : `Measured: ${factsText(data.conditions)}`
  lines.push(...wrap(facts, width, 'dim'))
  const labels = [...new Set(data.rows.map((row) => row.publishedLabel))].filter((label) => label !== null)
  if (labels.length > 0) lines.push(...wrap(`Published: ${labels.join('; ')}`, width, 'dim'))
  for (const line of [...missingLines(data), ...data.leftOut.map((text) => `left out: ${text}`)]) {
    lines.push(...wrap(line, width, 'plain', '  '))
  }
  if (data.verdicts.length > 0)
    lines.push({ text: '', style: 'plain' }, ...wrap('Claims of the paper on these rows', width, 'bold'))
  for (const verdict of data.verdicts) {
    lines.push(...wrap(`${outcomeMarks[verdict.outcome]} ${verdict.outcome}: ${verdict.claim}`, width, 'plain', '  '))
    lines.push(...wrap(`  ${evidenceText(verdict)}`, width, 'dim', '  '))
  }
  if (notes) lines.push({ text: '', style: 'plain' }, { text: 'Notes', style: 'bold' })
  for (const { mark, text } of notes ? data.footnotes : []) lines.push(...wrap(`${mark}  ${text}`, width, 'dim', '   '))
  return `${lines.map((line) => paint(line, color)).join('\n')}\n`
}

/** All rows under one heading, or null when `width` is too small. */
function grid(data: TableData, width: number): Line[] | null {
  const lines: { cells: string[]; style: Line['style'] }[] = [
    { cells: ['', ...data.columns.map(({ key }) => headings[key][0])], style: 'bold' },
    { cells: ['', ...data.columns.map(({ key }) => headings[key][1])], style: 'dim' },
  ]
  for (const row of data.rows) lines.push(...gridRow(row, data), { cells: [], style: 'plain' })
  const columns = Array.from({ length: data.columns.length + 1 }, (_, i) =>
    Math.max(...lines.map(({ cells }) => length(cells[i] ?? ''))),
  )
  const needed = columns.reduce((sum, column) => sum + column, 0)
  const gap = Math.min(3, Math.floor((width - needed) / data.columns.length))
  if (gap < 1) return null
  return lines.map(({ cells, style }) => {
    const padded = cells.map((cell, i) =>
      i === 0 ? pad(cell, columns[0]) : ' '.repeat(gap) + padLeft(cell, columns[i]),
    )
    return { text: padded.join('').trimEnd(), style }
  })
}

function gridRow(row: TableRow, data: TableData): { cells: string[]; style: Line['style'] }[] {
  const kind = (i: number) => data.columns[i]?.kind ?? 'accuracy'
  const each = (text: (cell: Cell, i: number) => string): string[] => row.cells.map(text)
  const values = each(({ measured }, i) =>
    measured === null ? MISSING : percent(measured.value, digitsOf(measured, kind(i))),
  )
  const spreads = each(({ measured }) => (measured === null ? '' : spreadText(measured)))
  const partial = each(({ measured }, i) => (measured === null ? '' : partialText(measured, row, kind(i))))
  const seeds = row.seeds.length === 1 ? `seed ${seedsText(row)}` : `${row.seeds.length} seeds`
  const n = row.n === null ? MISSING : `n = ${count(row.n)}, ${seeds}`
  return [
    { cells: [row.network, ...values], style: 'plain' },
    { cells: [`  ${methodText(row)}`, ...spreads], style: 'dim' },
    { cells: [`  ${n}`, ...partial], style: 'dim' },
    ...(row.published === null
      ? []
      : [
          {
            cells: [`  publ. ${publishedName(row)}`, ...each((cell) => publishedText(cell.published))],
            style: 'dim' as const,
          },
        ]),
    ...(row.comparable
      ? [
          {
            cells: ['  difference', ...each((cell) => (cell.difference === null ? '' : points(cell.difference)))],
            style: 'dim' as const,
          },
        ]
      : []),
  ]
}

/** `76.0–81.0` or `± 0.3`: one digit and no brackets, which is what makes 80 columns enough. */
function spreadText({ interval, std }: Measured): string {
  if (std !== null) return `± ${percent(std, 2)}`
  return interval === null ? '' : `${percent(interval.low, 1)}–${percent(interval.high, 1)}`
}

/** One block a row, one line a number. */
function blocks(data: TableData, width: number): Line[] {
  const titles = Math.max(...data.columns.map(({ title }) => length(title)))
  return data.rows.flatMap((row) => [
    ...wrap(`${row.network} ${methodText(row)}`, width, 'bold'),
    ...wrap(row.n === null ? MISSING : `n = ${count(row.n)}, seeds ${seedsText(row)}`, width, 'dim'),
    ...(row.published === null ? [] : wrap(`published: ${row.publishedLabel}`, width, 'dim')),
    ...row.cells.flatMap((cell, i) => {
      const { title, kind } = data.columns[i] as TableData['columns'][number]
      const published = cell.published === null ? '' : `, publ. ${publishedText(cell.published)}`
      const difference = cell.difference === null ? '' : ` (${points(cell.difference)})`
      return wrap(
        `  ${pad(title, titles)}  ${measuredText(cell, row, kind)}${published}${difference}`,
        width,
        'plain',
        '    ',
      )
    }),
    { text: '', style: 'plain' },
  ])
}

/** The network only: the label column is narrow, and the conditions name the data. */
function publishedName({ published }: TableRow): string {
  return published?.network ?? NOT_PRINTED
}

/** Breaks at spaces; a word longer than the line stays whole. */
function wrap(text: string, width: number, style: Line['style'], indent = ''): Line[] {
  const lines: string[] = []
  let line = /^ */.exec(text)?.[0] ?? ''
  const start = line.length
  for (const word of text.trim().split(' ')) {
    const open = lines.length === 0 ? start : indent.length
    if (length(line) > open && length(line) + 1 + length(word) > width) {
      lines.push(line)
      line = indent + word
    } else line += length(line) > open ? ` ${word}` : word
  }
  return [...lines, line].map((each) => ({ text: each, style }))
}

function paint({ text, style }: Line, color: boolean): string {
  if (!color || style === 'plain' || text === '') return text
  return `\u001b[${style === 'bold' ? 1 : 2}m${text}\u001b[0m`
}

const length = (text: string): number => [...text].length
const pad = (text: string, width = 0): string => text + ' '.repeat(Math.max(0, width - length(text)))
const padLeft = (text: string, width = 0): string => ' '.repeat(Math.max(0, width - length(text))) + text
