/** LaTeX and CSV of a table. Goldens: test/report/golden/README.md. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import table from '../../ts/tables/sparsity_meets_robustness_table_2'
import { toCsv } from '../../ts/report/csv'
import { escapeLatex, toLatex } from '../../ts/report/latex'
import { quickRecords, smokeRecords } from '../records/fake'

/** The golden's text; with UPDATE_GOLDENS=1 the file is written first. */
function golden(name: string, text: string): string {
  const path = join(__dirname, 'golden', name)
  if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(path, text)
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

const partial = table.build(quickRecords(), 'quick')
const full = table.build(smokeRecords(), 'smoke')

test.each([
  ['partial.tex', toLatex(partial)],
  ['full.tex', toLatex(full)],
  ['partial.csv', toCsv(partial)],
])('%s', (name, text) => {
  expect(text).toBe(golden(name, text))
})

describe('LaTeX', () => {
  test.each([toLatex(table.build([], 'smoke')), toLatex(partial), toLatex(full)])('is a rectangle of ASCII', (text) => {
    expect(/[^\n -~]/.exec(text)).toBeNull()
    const lines = text.slice(text.indexOf('\\midrule'), text.indexOf('\\bottomrule')).match(/^.*\\\\$/gm) ?? []
    expect(lines.length).toBeGreaterThan(7)
    expect(new Set(lines.map((line) => line.split(/(?<!\\)&/).length))).toEqual(new Set([10]))
    expect((text.match(/(?<!\\)\{/g) ?? []).length).toBe((text.match(/(?<!\\)\}/g) ?? []).length)
    expect(text).not.toMatch(/\\\\\s*\[/)
  })

  test('what a record says is text', () => {
    expect(escapeLatex('50 % & $x_1$ #{a}^~\\')).toBe(
      '50 \\% \\& \\$x\\_1\\$ \\#\\{a\\}\\textasciicircum{}\\textasciitilde{}\\textbackslash{}',
    )
    expect(escapeLatex('λ1 = 0.1 ± [−2]')).toBe('$\\lambda_1$ = 0.1 $\\pm$ {[}$-$2{]}')
  })
})

/** Splits RFC 4180 text, quoted fields included. */
function parse(text: string): string[][] {
  const fields = [...text.matchAll(/("(?:[^"]|"")*"|[^,\r]*)(,|\r\n)/g)]
  const rows: string[][] = [[]]
  for (const [, field = '', end] of fields) {
    rows.at(-1)?.push(field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field)
    if (end !== ',') rows.push([])
  }
  return rows.slice(0, -1)
}

describe('CSV', () => {
  const [head = [], ...lines] = parse(toCsv(partial))
  const at = (line: string[] | undefined, name: string): string | undefined => line?.[head.indexOf(name)]

  test('one line a cell, numbers in full precision', () => {
    expect(lines).toHaveLength(partial.rows.length * partial.columns.length)
    expect(new Set(lines.map((line) => line.length))).toEqual(new Set([14]))
    const cells = partial.rows.flatMap(({ cells }) => cells)
    cells.forEach(({ measured, published }, i) => {
      expect(at(lines[i], 'measured')).toBe(measured === null ? '' : String(measured.value))
      expect(at(lines[i], 'published')).toBe(published === null ? '' : String(published))
    })
    expect(at(lines[6], 'hyper')).toBe('beta=1 lambda1=0.05 lambda2=0.00001')
    expect(at(lines[6], 'seeds')).toBe('3')
  })

  test('a comma, a quote and a line break stay inside their field', () => {
    const odd = { ...partial, preset: 'a,"b"\r\nc' }
    expect(parse(toCsv(odd))[1]?.[1]).toBe(odd.preset)
  })
})
