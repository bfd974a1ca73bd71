/** A table as GitHub Markdown: below each measured row the published one, and a difference where that means something. */
import { methodText, type TableData, type TableRow } from '../tables/shared/table'
import {
  count,
  evidenceText,
  factsText,
  measuredText,
  MISSING,
  outcomeMarks,
  points,
  publishedText,
  seedsText,
} from './format'

/** The table as GitHub Markdown, per cent with intervals, footnotes and conditions below it. */
export function toMarkdown(data: TableData): string {
  const head = [
    'Network',
    'Method',
    ...data.columns.map(({ key, title }) => `${title} (%)${marks(data, key)}`),
    'n',
    'Seeds',
  ]
  const body = data.rows.flatMap((row) => linesOf(row, data))
  const sections = [
    `# ${data.title}`,
    `${data.source}; preset \`${data.preset}\`.`,
    grid([head, ...body]),
    data.conditions.length === 0 ? 'Nothing measured yet.' : `*Measured:* ${escape(factsText(data.conditions))}.`,
    list(missingLines(data)),
    list(data.leftOut.map((line) => `left out: ${escape(line)}`)),
    '## Claims of the paper on these rows',
    list(
      data.verdicts.map(
        (verdict) =>
          `${outcomeMarks[verdict.outcome]} **${verdict.outcome}**: ${escape(verdict.claim)}. ` +
          `${escape(evidenceText(verdict))}. *(${escape(verdict.test)})*`,
      ),
    ),
    '## Notes',
    list(data.footnotes.map(({ mark, text }) => `**${mark}** ${escape(text)}`)),
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

function linesOf(row: TableRow, data: TableData): string[][] {
  const kinds = data.columns.map((column) => column.kind)
  const n = row.n === null ? MISSING : count(row.n)
  const measured = row.cells.map((cell, i) => measuredText(cell, row, kinds[i] ?? 'accuracy'))
  const lines = [[row.network, methodText(row), ...measured, n, seedsText(row)]]
  if (row.published !== null) {
    const numbers = row.cells.map((cell) => publishedText(cell.published))
    lines.push(['*published*', row.publishedLabel ?? '', ...numbers, '', ''])
  }
  if (row.comparable) {
    const numbers = row.cells.map(({ difference }) => (difference === null ? '' : points(difference)))
    lines.push(['*difference*', 'points', ...numbers, '', ''])
  }
  return lines.map((line) => line.map(escape))
}

/** ` a,b` as a superscript when a note belongs to the column. */
function marks(data: TableData, key: string): string {
  const found = data.footnotes.filter(({ columns }) => (columns as string[]).includes(key)).map(({ mark }) => mark)
  return found.length === 0 ? '' : ` <sup>${found.join(',')}</sup>`
}

export function missingLines(data: TableData): string[] {
  return data.missing.map((row) => {
    const all = row.columns.length === data.columns.length
    const titles = data.columns.filter(({ key }) => row.columns.includes(key)).map(({ title }) => title)
    return `missing: ${row.network} ${methodText(row)}${all ? '' : ` (${titles.join(', ')})`}`
  })
}

/** Columns padded to equal width, text left and numbers right. */
function grid(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(3, ...rows.map((row) => length(row[i] ?? ''))))
  const line = (row: string[]): string =>
    `| ${row.map((cell, i) => (i < 2 ? `${cell}${space(cell, widths[i])}` : `${space(cell, widths[i])}${cell}`)).join(' | ')} |`
  const rule = `| ${widths.map((width, i) => (i < 2 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  const [head = [], ...body] = rows
  return [line(head), rule, ...body.map(line)].join('\n')
}

const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join('\n')
const length = (text: string): number => [...text].length
const space = (text: string, width = 0): string => ' '.repeat(width - length(text))
// The `*` of our own emphasis stays; what would end a cell or open a tag does not.
const escape = (text: string): string => text.replace(/\|/g, '\\|').replace(/</g, '&lt;').replace(/\n/g, ' ')
