/** Builds a table from the records below a runs folder and shows it: terminal or Markdown or JSON on standard output, pages beside the runs. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeAtomically } from '../records/atomic'
import { channelNormsOf, findRecords, metricsOf } from '../records/find'
import { toHtml } from '../report/html'
import { toJson } from '../report/json'
import { toMarkdown } from '../report/markdown'
import { toTerminal } from '../report/terminal'
import type { Table, TableData } from '../tables/shared/table'
import { CELLS } from './cells'
import type { Terminal } from './terminal'

export interface Publication {
  readonly table: Table
  readonly preset: string
  readonly runs: string
  readonly terminal: Terminal
}

interface Built {
  readonly data: TableData
  readonly html: string
  readonly markdown: string
}

/** The table as data and as pages; records that cannot be read are told, not skipped in silence. */
export function buildPages({ table, preset, runs, terminal }: Publication): Built {
  const found = findRecords(runs, CELLS)
  for (const { path, reason } of found.broken) terminal.note(`left out ${path}: ${reason}`)
  const data = table.build(
    found.runs.map(({ record }) => record),
    preset,
  )
  const metrics = metricsOf(found.runs)
  const channelNorms = channelNormsOf(found.runs)
  const embedded = preset === 'smoke' // the data of all other presets are the user's
  const command = `npx feynkac reproduce ${table.name} --preset ${preset}${embedded ? '' : ' --data-root DIR'}`
  return { data, html: toHtml(data, { metrics, channelNorms, command }), markdown: toMarkdown(data) }
}

/** Writes report.html and table.md below `<runs>/reports/<table>/<preset>` and prints the table. */
export function publish(publication: Publication & { readonly json: boolean }): void {
  const { table, preset, runs, terminal, json } = publication
  const { data, html, markdown } = buildPages(publication)
  const folder = join(runs, 'reports', table.name, preset)
  mkdirSync(folder, { recursive: true })
  const reportPath = join(folder, 'report.html')
  writeAtomically(reportPath, html)
  writeAtomically(join(folder, 'table.md'), markdown)
  if (!json) terminal.result(toTerminal(data, { width: process.stdout.columns || 120, color: process.stdout.isTTY }))
  terminal.note(`report: ${reportPath}`)
  if (json) terminal.result(JSON.stringify(toJson(data, reportPath)))
}
