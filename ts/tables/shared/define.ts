/** Makes a table of its rows, columns and claims: everything of it that is the same for every published table. */
import { RecordError } from '../../records/check'
import type { RunRecord } from '../../records/record'
import { buildRow, sameData, selectRuns } from './build'
import { conditions } from './facts'
import { footnotes, type PublishedRun } from './footnotes'
import type { Column, PublishedRow, Row, Table, TableData, TableRow, Verdict } from './table'

/** How large the networks of a preset are: the published ones, some of them, or small stand-ins. */
const SIZES = { smoke: 'small', quick: 'quick', quick_fashion: 'small', paper: 'full', paper_text: 'full' } as const

export type Judge = (rows: readonly TableRow[]) => Verdict[]

export interface Definition {
  readonly name: string
  readonly title: string
  readonly source: string
  /** What the published rows were trained and tested on. */
  readonly run: PublishedRun
  readonly published: readonly PublishedRow[]
  readonly columns: readonly Column[]
  /** Rows with the published networks; those of a `quick` run; those with small networks for small images. */
  readonly rows: Readonly<Record<'full' | 'quick' | 'small', readonly Row[]>>
  readonly claims: readonly Judge[]
  /** More to know before comparing. */
  readonly notes?: readonly string[]
}

export function defineTable(definition: Definition): Table {
  const { name, title, source, run, published, columns, claims, notes = [] } = definition

  const rows = (preset: string): Row[] => {
    if (!Object.hasOwn(SIZES, preset)) {
      const known = Object.keys(SIZES).join(', ')
      throw new RecordError(`Expected \`preset\` to be one of ${known}, got \`${preset}\` (string)`)
    }
    return [...definition.rows[SIZES[preset as keyof typeof SIZES]]]
  }

  const build = (records: readonly RunRecord[], preset: string): TableData => {
    const mine = records.filter((record) => record.preset === preset && standsFor(record, run.dataset))
    const selections = rows(preset).map((row) => ({ row, ...selectRuns(row, mine) }))
    const built = selections.map(({ row, used }) => buildRow(row, used, columns))
    const used = built.flatMap((row) => row.records)
    const data = [...new Set(used.map((record) => record.data.name))].join(', ')
    return {
      table: name,
      title,
      source,
      preset,
      data: data === '' ? null : data,
      columns: columns.map(({ key, title, kind }) => ({ key, title, kind })),
      rows: built,
      footnotes: footnotes(built, columns, run, notes),
      conditions: conditions(used),
      verdicts: claims.flatMap((judge) => judge(built)),
      missing: built.flatMap(({ network, method, hyper, cells }) => {
        const gone = cells.filter((cell) => cell.measured === null).map((cell) => cell.column)
        return gone.length === 0 ? [] : [{ network, method, hyper, columns: gone }]
      }),
      leftOut: selections.flatMap((selection) => selection.leftOut),
    }
  }

  return { name, title, source, dataset: run.dataset, published, columns, presets: Object.keys(SIZES), rows, build }
}

/** Tables share their runs: one on CIFAR-100 is no row of a table about CIFAR-10, one on other data may stand for both. */
const standsFor = ({ data }: RunRecord, dataset: string): boolean =>
  sameData(data.name, dataset) || !['CIFAR10', 'CIFAR100'].some((other) => sameData(data.name, other))
