/** Every file of ts/tables is a table: it renders with no records and with a full set, and its rows are well formed. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { toHtml } from '../../ts/report/html'
import { toJson } from '../../ts/report/json'
import { toMarkdown } from '../../ts/report/markdown'
import { toTerminal } from '../../ts/report/terminal'
import { sameRow, type Table } from '../../ts/tables/shared/table'
import { fakeRecord } from '../records/fake'
import type { RunRecord } from '../../ts/records/record'

const folder = join(__dirname, '../../ts/tables')
const files = readdirSync(folder).filter((name) => name.endsWith('.ts'))

test('there are tables', () => expect(files).toContain('sparsity_meets_robustness_table_2.ts'))

describe.each(files)('%s', (file) => {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the folder is the registry
  const table = (require(join(folder, file)) as { default: Table }).default
  const presets = table.presets.map((preset) => [preset])

  /** A record for each row of a preset. */
  const full = (preset: string): RunRecord[] =>
    table.rows(preset).map(({ network, method, hyper }) => ({
      ...fakeRecord({ network, lambda1: hyper.lambda1, numbers: [786, 726, 699, 741, 9], preset }),
      table: table.name,
      method,
      hyper,
    }))

  test('published fractions lie in [0, 1] and no row is printed twice', () => {
    for (const row of table.published) {
      const numbers = [row.natural, row.fgsm, row.ifgsm20, row.cw, row.weightSparsity, row.channelSparsity]
      for (const value of numbers) expect(value === null || (value >= 0 && value <= 1)).toBe(true)
      expect(table.published.filter((other) => sameRow(other, row))).toHaveLength(1)
    }
  })

  test('an unknown preset is refused and the known ones are listed', () => {
    expect(() => table.rows('toString')).toThrow(
      `Expected \`preset\` to be one of ${table.presets.join(', ')}, got \`toString\` (string)`,
    )
  })

  test.each(presets)('preset %s without records: everything is missing', (preset) => {
    const data = table.build([], preset)
    expect(data.missing).toHaveLength(data.rows.length)
    expect(
      data.rows.flatMap((row) => row.cells).every((cell) => cell.measured === null && cell.difference === null),
    ).toBe(true)
    expect(data.verdicts.every(({ outcome }) => outcome === 'not enough data')).toBe(true)
    expect(toMarkdown(data)).toContain('missing')
    expect(toTerminal(data)).toContain('missing')
    expect(toHtml(data)).toContain('missing')
    expect(toJson(data, null).data).toBeNull()
  })

  test.each(presets)('preset %s with all records: nothing is missing', (preset) => {
    const data = table.build(full(preset), preset)
    expect(data.missing).toEqual([])
    expect(data.leftOut).toEqual([])
    expect(data.verdicts.some(({ evidence }) => evidence.kind === 'missing')).toBe(false)
    for (const text of [toMarkdown(data), toTerminal(data), toHtml(data)]) {
      expect(text).toContain('78.6')
      expect(text).not.toMatch(/missing:|NaN|undefined|Infinity/)
    }
  })

  test('the order of records does not matter, and they are not changed', () => {
    const preset = table.presets[0] ?? ''
    const records = full(preset)
    const before = JSON.stringify(records)
    expect(table.build([...records].reverse(), preset)).toEqual(table.build(records, preset))
    expect(JSON.stringify(records)).toBe(before)
  })
})
