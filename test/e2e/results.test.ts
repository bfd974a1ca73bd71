/** The committed results are records that the package itself reads, and the table made from them is complete. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { findRecords } from '../../ts/records/find'
import table from '../../ts/tables/sparsity_meets_robustness_table_2'

const folder = join(__dirname, '..', '..', 'benchmarks', 'results')

test('every record is valid, and preset smoke is complete', () => {
  const { runs, broken } = findRecords(folder)
  expect(broken).toEqual([])
  const records = runs.map(({ record }) => record)
  expect(table.build(records, 'smoke').missing).toEqual([])
  for (const { sparsity, method } of records)
    if (method === 'RGSM') expect(sparsity.inputChannels.zero).toBeGreaterThan(0)
})

test('every result is JSON without NaN, numbers as numbers', () => {
  const check = (value: unknown, at: string): void => {
    // an epsilon is kept in the notation it was asked for in
    if (at.endsWith('.notation')) expect(typeof value).toBe('string')
    else if (typeof value === 'string') expect(`${at}: ${value}`).not.toMatch(/: -?\d+(\.\d+)?$/)
    else if (typeof value === 'object' && value !== null)
      Object.entries(value).forEach(([key, item]) => check(item, `${at}.${key}`))
  }
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
  expect(files.length).toBeGreaterThan(0)
  for (const name of files) check(JSON.parse(readFileSync(join(folder, name), 'utf8')), name)
})
