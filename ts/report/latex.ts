/**
 * A table as LaTeX (booktabs): a line of values, one of their intervals, one of the published numbers. Letters outside
 * ASCII become commands, so that pdfTeX of any year sets them.
 */
import { methodText, type Cell, type Column, type TableData, type TableRow } from '../tables/shared/table'
import {
  count,
  factsText,
  intervalText,
  MISSING,
  NOT_PRINTED,
  partialText,
  points,
  publishedText,
  seedsText,
  valueText,
} from './format'
import { missingLines } from './markdown'

/** A `table` environment; the preamble needs `\usepackage{booktabs}`. */
export function toLatex(data: TableData): string {
  const heads = ['Network', 'Method', ...data.columns.map((column) => heading(column, data)), '$n$', 'Seeds']
  const body = data.rows.map((row) => linesOf(row, data).join('\n'))
  const gaps = [...missingLines(data), ...data.leftOut.map((line) => `left out: ${line}`)]
  const notes = [
    `All values in %. ${data.conditions.length === 0 ? 'Nothing measured yet.' : `Measured: ${factsText(data.conditions)}.`}`,
    ...(gaps.length === 0 ? [] : [`Not in the table: ${gaps.join('; ')}.`]),
  ].map(escapeLatex)
  const footnotes = data.footnotes.map(({ mark, text }) => `\\textsuperscript{${mark}} ${withCode(text)}`)
  return [
    '% Needs \\usepackage{booktabs}. Wider than a column: use table* or \\resizebox where that matters.',
    '\\begin{table}',
    '\\centering',
    `\\caption{${escapeLatex(`${data.title}. ${data.source}; preset ${data.preset}.`)}}`,
    `\\label{tab:${data.table.replace(/[^a-zA-Z0-9-]/g, '-')}}`,
    `\\begin{tabular}{ll${'r'.repeat(data.columns.length + 1)}l}`,
    '\\toprule',
    `${heads.join(' & ')} \\\\`,
    '\\midrule',
    body.join('\n\\addlinespace\n'),
    '\\bottomrule',
    '\\end{tabular}',
    '\\par\\medskip',
    '\\begin{minipage}{\\linewidth}\\footnotesize',
    [...notes, ...footnotes].join('\\par\n'),
    '\\end{minipage}',
    '\\end{table}',
    '',
  ].join('\n')
}

/** Each word on a line of its own: the numbers below are narrower than `Channel sparsity`. */
function heading({ key, title }: Pick<Column, 'key' | 'title'>, data: TableData): string {
  const marks = data.footnotes.filter(({ columns }) => columns.includes(key)).map(({ mark }) => mark)
  const raised = marks.length === 0 ? '' : `\\textsuperscript{${marks.join(',')}}`
  const words = escapeLatex(title).split(' ')
  return words.length === 1
    ? `${words.join('')}${raised}`
    : `\\begin{tabular}[b]{@{}r@{}}${words.join(' \\\\ ')}${raised}\\end{tabular}`
}

function linesOf(row: TableRow, data: TableData): string[] {
  const kind = (i: number): Column['kind'] => data.columns[i]?.kind ?? 'accuracy'
  const value = ({ measured }: Cell, i: number): string => (measured === null ? MISSING : valueText(measured, kind(i)))
  const spread = ({ measured }: Cell, i: number): string =>
    measured === null ? '' : [intervalText(measured, kind(i)), partialText(measured, row, kind(i))].join(' ').trim()
  const cells = (text: (cell: Cell, i: number) => string): string[] =>
    row.cells.map((cell, i) => escapeLatex(text(cell, i)))
  const n = row.n === null ? MISSING : count(row.n)
  const lines = [
    [escapeLatex(row.network), escapeLatex(methodText(row)), ...cells(value), n, escapeLatex(seedsText(row))],
  ]
  const small = (label: string, texts: string[]): void => {
    const shown = texts.map((text) => (text === '' ? '' : `{\\footnotesize ${text}}`))
    lines.push(['', `{\\footnotesize ${label}}`, ...shown, '', ''])
  }
  const spreads = cells(spread)
  const known = row.cells.some(({ measured }) => measured !== null && measured.interval !== null)
  if (spreads.some((text) => text !== '')) small(known ? '95\\,\\% interval' : 'incomplete', spreads)
  if (row.published !== null) {
    const label = `\\emph{published}, ${escapeLatex(row.publishedLabel ?? row.published.network)}`
    small(
      label,
      cells(({ published }) => publishedText(published)),
    )
  }
  if (row.comparable) {
    small(
      '\\emph{difference}, points',
      cells(({ difference }) => (difference === null ? '' : points(difference))),
    )
  }
  return lines.map((line) => `${line.join(' & ')} \\\\`)
}

const commands: Record<string, string> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '"': "''",
  "'": "'",
  // after `\\` a bracket would be read as its optional argument
  '[': '{[}',
  ']': '{]}',
  '\n': ' ',
  '\u00a0': '~',
  [NOT_PRINTED]: '--',
  '—': '---',
  '’': "'",
  '−': '$-$',
  '±': '$\\pm$',
  '·': '$\\cdot$',
  '×': '$\\times$',
  '√': '$\\surd$',
  '≤': '$\\leq$',
  '≥': '$\\geq$',
  '…': '\\ldots{}',
  ℓ: '$\\ell$',
  α: '$\\alpha$',
  β: '$\\beta$',
  γ: '$\\gamma$',
  ε: '$\\varepsilon$',
  λ: '$\\lambda$',
  σ: '$\\sigma$',
}

/** Text as LaTeX sets it literally; `λ1` becomes a subscript. */
export function escapeLatex(text: string): string {
  const pattern = new RegExp(
    `λ\\d|[&%$#_{}]|[${Object.keys(commands)
      .map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join('')}]`,
    'g',
  )
  return text.replace(pattern, (found) =>
    found.length > 1 ? `$\\lambda_${found.slice(1)}$` : (commands[found] ?? `\\${found}`),
  )
}

/** `cw_paper` in backticks as typewriter. */
const withCode = (text: string): string =>
  text
    .split('`')
    .map((part, i) => (i % 2 === 1 ? `\\texttt{${escapeLatex(part)}}` : escapeLatex(part)))
    .join('')
