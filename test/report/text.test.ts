import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import table from '../../ts/tables/sparsity_meets_robustness_table_2'
import { points } from '../../ts/report/format'
import { toMarkdown } from '../../ts/report/markdown'
import { toTerminal } from '../../ts/report/terminal'
import { fakeRecord, quickRecords, smokeRecords } from '../records/fake'

/** The golden's text; with UPDATE_GOLDENS=1 the file is written first. */
function golden(name: string, text: string): string {
  const path = join(__dirname, 'golden', name)
  if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(path, text)
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

const empty = table.build([], 'smoke')
const partial = table.build(quickRecords(), 'quick')
const full = table.build(smokeRecords(), 'smoke')

test.each([
  ['empty.md', toMarkdown(empty)],
  ['partial.md', toMarkdown(partial)],
  ['full.md', toMarkdown(full)],
  ['full.txt', toTerminal(full)],
])('%s', (name, text) => {
  expect(text).toBe(golden(name, text))
})

test('the Markdown table is a rectangle', () => {
  const lines = toMarkdown(partial)
    .split('\n')
    .filter((line) => line.startsWith('|'))
  const cells = (line: string): number => line.split(/(?<!\\)\|/).length
  expect(lines.length).toBeGreaterThan(10)
  expect(new Set(lines.map(cells))).toEqual(new Set([12]))
  expect(new Set(lines.map((line) => [...line].length)).size).toBe(1)
})

test('what a record says cannot break out of the Markdown', () => {
  const data = { title: 'a | b <script>\nnext' }
  const text = toMarkdown(
    table.build([fakeRecord({ network: 'ResNet8', lambda1: null, numbers: [1, 1, 1, 1, 0], data })], 'smoke'),
  )
  expect(text).toContain('a \\| b &lt;script> next')
})

const widest = (text: string): number => Math.max(...text.split('\n').map((line) => [...line].length))

test.each([30, 50, 78, 80, 100, 140])('the terminal text keeps to %d columns', (width) => {
  for (const data of [empty, partial, full]) expect(widest(toTerminal(data, { width }))).toBeLessThanOrEqual(width)
})

test('one line a number when the terminal is narrow', () => {
  const text = toTerminal(full, { width: 50, notes: false })
  expect(text).toContain('ResNet8 RGSM λ1 = 0.05\nn = 1,000, seeds 0\n')
  expect(text).toContain('Natural           78.3 [75.6, 80.7], publ. 75.91')
})

test('no escape codes unless asked for', () => {
  const codes = /\u001b\[[12]m/
  expect(toTerminal(full)).not.toMatch(codes)
  expect(toTerminal(full, { color: true })).toMatch(codes)

  expect(toTerminal(full, { color: true }).replace(/\u001b\[\d*m/g, '')).toBe(toTerminal(full))
})

test('signs of differences', () => {
  expect([points(0.012), points(-0.0152), points(0), points(-0.00001)]).toEqual(['+1.20', '−1.52', '0.00', '0.00'])
})

test('cells name their n only where it is not that of the row', () => {
  const limited = smokeRecords().map((record) => ({ ...record, data: { ...record.data, testN: 10_000 } }))
  expect(toMarkdown(table.build(limited, 'smoke'))).not.toContain('(n = ')
  expect(toMarkdown(partial)).toContain('(n = 500)')
})
