/** The JSON other programs rely on (`reproduce --json`, last line of standard output): fractions in [0, 1], null = missing. */
import type { Hyper } from '../records/record'
import type { ColumnKey, PublishedRow, TableData } from '../tables/shared/table'

/** What `feynkac reproduce --json` prints. */
export interface ReproduceJson {
  table: string
  preset: string
  data: string | null
  rows: ({ network: string; method: string; hyper: Hyper } & Record<ColumnKey, number | null> & {
      /** Test images of the natural accuracy; null for a missing row. */
      n: number | null
      seeds: number[]
      published: PublishedRow | null
    })[]
  missing: { network: string; method: string; hyper: Hyper; columns: ColumnKey[] }[]
  reportPath: string | null
}

/** The table as plain JSON; `reportPath` is where its page was written, null when nowhere. */
export function toJson(data: TableData, reportPath: string | null): ReproduceJson {
  return {
    table: data.table,
    preset: data.preset,
    data: data.data,
    rows: data.rows.map((row) => {
      const value = (key: ColumnKey): number | null =>
        row.cells.find((cell) => cell.column === key)?.measured?.value ?? null
      return {
        network: row.network,
        method: row.method,
        hyper: row.hyper,
        natural: value('natural'),
        fgsm: value('fgsm'),
        ifgsm20: value('ifgsm20'),
        cw: value('cw'),
        weightSparsity: value('weightSparsity'),
        inputChannelSparsity: value('inputChannelSparsity'),
        n: row.n,
        seeds: row.seeds,
        published: row.published,
      }
    }),
    missing: data.missing,
    reportPath,
  }
}
