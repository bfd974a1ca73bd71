/**
 * A table as one self-contained page: no script, no external resource, light and dark by the reader's preference.
 * Measured values are filled and blue, published ones hollow and ochre, everywhere.
 */
import type { EpochMetrics } from '../records/metrics'
import { durationText, hardwareText, versionsText } from '../tables/shared/facts'
import { methodText, type TableData, type TableRow, type Verdict } from '../tables/shared/table'
import { accuracyScale, curves, curveScale, histogram } from './charts'
import { evidenceText, outcomeMarks, percent } from './format'
import { resultsTable } from './html_table'
import { missingLines } from './markdown'
import { htmlPage, section } from './page'
import { escape, niceCeiling, tag } from './svg'

/** What the page shows besides the table. */
export interface HtmlOptions {
  /** Epoch metrics by run hash. */
  metrics?: Record<string, EpochMetrics[]>
  /** l2 norms of all input-channel slices by run hash. */
  channelNorms?: Record<string, number[]>
  /** The command line that makes this page again. */
  command?: string
}

/** The table as one HTML page with pictures; names and texts of records are escaped. */
export function toHtml(data: TableData, options: HtmlOptions = {}): string {
  const sections = [
    header(data),
    resultsTable(data),
    conditions(data),
    gaps(data),
    verdicts(data),
    training(data, options.metrics ?? {}),
    norms(data, options.channelNorms ?? {}),
    notes(data),
    provenance(data, options.command),
  ]
  return htmlPage(data.title, sections)
}

function header(data: TableData): string {
  const { low, high } = accuracyScale(
    data.rows,
    data.columns.map((column) => column.kind),
  )
  const key = (class_: string, words: string): string => tag('span', { class: `key ${class_}` }, words)
  return tag(
    'header',
    {},
    tag('p', { class: 'eyebrow' }, escape(`feynkac · preset ${data.preset}`)),
    tag('h1', {}, escape(data.title)),
    tag('p', { class: 'source' }, `Set beside ${escape(data.source)}. All values in %.`),
    tag(
      'p',
      { class: 'legend' },
      key('measured', 'measured, with its 95 % interval or ± spread'),
      key('published', 'published'),
      tag('span', { class: 'scale' }, `scale of the accuracies ${percent(low, 0)} to ${percent(high, 0)} %`),
    ),
  )
}

function conditions(data: TableData): string {
  if (data.conditions.length === 0) return tag('p', { class: 'conditions' }, 'Nothing measured yet.')
  const facts = data.conditions.map(({ label, value }) =>
    tag('div', {}, tag('dt', {}, escape(label)), tag('dd', {}, escape(value))),
  )
  return section('Conditions', tag('dl', { class: 'conditions' }, ...facts))
}

function gaps(data: TableData): string {
  const lines = [...missingLines(data), ...data.leftOut.map((line) => `left out: ${line}`)]
  return lines.length === 0
    ? ''
    : section('Not in the table', tag('ul', {}, ...lines.map((line) => tag('li', {}, escape(line)))))
}

function verdicts(data: TableData): string {
  if (data.verdicts.length === 0) return ''
  const judged = data.verdicts.filter(({ evidence }) => evidence.kind !== 'missing')
  const unjudged = data.verdicts.filter(({ evidence }) => evidence.kind === 'missing')
  const cards = judged.map((verdict) =>
    tag(
      'li',
      { class: `verdict ${verdict.outcome.replace(/ /g, '-')}` },
      tag(
        'p',
        { class: 'outcome' },
        tag('span', { class: 'mark', 'aria-hidden': 'true' }, outcomeMarks[verdict.outcome]),
        escape(verdict.outcome),
      ),
      tag('p', { class: 'claim' }, escape(verdict.claim)),
      tag('p', { class: 'evidence' }, escape(evidenceText(verdict))),
      tag('p', { class: 'test' }, escape(verdict.test)),
    ),
  )
  return section(
    'Verdict on the claims of the paper',
    cards.length === 0 ? '' : tag('ul', { class: 'verdicts' }, ...cards),
    waiting(unjudged),
  )
}

/** Claims that have no rows yet: worth a line each, not a card. */
function waiting(verdicts: readonly Verdict[]): string {
  if (verdicts.length === 0) return ''
  const items = verdicts.map((verdict) => tag('li', {}, escape(`${verdict.claim}. ${evidenceText(verdict)}.`)))
  const summary = `Not enough data: ${verdicts.length} claim${verdicts.length === 1 ? ' waits' : 's wait'} for rows`
  return tag('details', { class: 'unjudged', open: '' }, tag('summary', {}, summary), tag('ul', {}, ...items))
}

function training(data: TableData, metrics: Record<string, EpochMetrics[]>): string {
  const runsOf = (row: TableRow): EpochMetrics[][] =>
    row.records.flatMap(({ hash }) => (metrics[hash]?.length ? [metrics[hash]] : []))
  const scale = curveScale(data.rows.flatMap(runsOf))
  return figures(
    'Training',
    data,
    (row) => curves(runsOf(row), scale),
    'Scales are shared by all rows; one line a seed.',
  )
}

function norms(data: TableData, channelNorms: Record<string, number[]>): string {
  const normsOf = (row: TableRow): number[] =>
    row.records.flatMap(({ hash }) => channelNorms[hash] ?? []).filter(Number.isFinite)
  const max = niceCeiling(data.rows.flatMap(normsOf).reduce((a, b) => Math.max(a, b), 0))
  const draw = (row: TableRow): string => {
    const { lambda1, beta } = row.hyper
    const threshold = lambda1 === null || beta === null ? null : Math.sqrt((2 * lambda1) / beta)
    return normsOf(row).length === 0 ? '' : histogram(normsOf(row), threshold, max)
  }
  return figures(
    'Channel norms',
    data,
    draw,
    'ℓ2 norms of the input-channel slices of all convolutions; all seeds of a row together.',
  )
}

/** One small multiple a row that has something to draw. */
function figures(title: string, data: TableData, draw: (row: TableRow) => string, caption: string): string {
  const drawn = data.rows.flatMap((row) => {
    const chart = draw(row)
    const name = tag('figcaption', {}, tag('strong', {}, escape(row.network)), ` ${escape(methodText(row))}`)
    return chart === '' ? [] : [tag('figure', {}, name, chart)]
  })
  if (drawn.length === 0) return ''
  return section(title, tag('p', { class: 'caption' }, caption), tag('div', { class: 'figures' }, ...drawn))
}

function notes(data: TableData): string {
  const items = data.footnotes.map(({ mark, text }) =>
    tag('div', { id: `note-${mark}` }, tag('dt', {}, mark), tag('dd', {}, withCode(text))),
  )
  return items.length === 0 ? '' : section('Notes', tag('dl', { class: 'notes' }, ...items))
}

function provenance(data: TableData, command: string | undefined): string {
  const head = ['Run', 'Seed', 'Folder', 'Epoch', 'Train', 'Evaluate', 'Commit', 'Date', 'Versions', 'Hardware']
  const rows = data.rows.flatMap((row) =>
    row.records.map((record) => {
      const cells = [
        `${row.network} ${methodText(row)}`,
        String(record.seed),
        `${record.experiment}/${record.hash}`,
        `${record.selectedEpoch} of ${record.epochs}`,
        durationText(record.seconds.train),
        durationText(record.seconds.evaluate),
        record.commit?.slice(0, 12) ?? 'unknown',
        record.date.slice(0, 10),
        versionsText(record),
        hardwareText(record),
      ]
      return tag('tr', {}, ...cells.map((cell) => tag('td', {}, escape(cell))))
    }),
  )
  const runs = tag(
    'div',
    { class: 'scroll' },
    tag(
      'table',
      { class: 'runs' },
      tag('thead', {}, tag('tr', {}, ...head.map((cell) => tag('th', {}, cell)))),
      tag('tbody', {}, ...rows),
    ),
  )
  const again = command === undefined ? '' : tag('pre', {}, tag('code', {}, escape(command)))
  return rows.length === 0 && again === '' ? '' : section('Provenance', again, rows.length === 0 ? '' : runs)
}

/** `cw_paper` in backticks as code; the rest is escaped. */
function withCode(text: string): string {
  return escape(text).replace(/`([^`]+)`/g, '<code>$1</code>')
}
