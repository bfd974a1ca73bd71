/** Every test that PITFALLS.md names is there, and every pitfall has a line. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const lines = readFileSync(join(__dirname, 'PITFALLS.md'), 'utf8').split('\n')
const items = lines.filter((line) => /^\s+- /.test(line))
const named = items.flatMap((line) => {
  const [, file, name] = /^\s+- `([^`]+)`: `([^`]+)`$/.exec(line) ?? []
  return file !== undefined && name !== undefined ? [[file, name] as const] : []
})

test('the thirty pitfalls are listed, each with a line', () => {
  const numbers = lines.flatMap((line) => /^(\d+)\. /.exec(line)?.[1] ?? [])
  expect(numbers.map(Number)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
  lines.forEach((line, i) => {
    if (/^\d+\. /.test(line)) expect(lines[i + 1]).toMatch(/^\s+- /)
  })
  for (const line of items) expect(line).toMatch(/^\s+- (`[^`]+`: `[^`]+`$|overruled \(|measured: |open: )/)
})

test.each(named)('%s has the test "%s"', (file, name) => {
  const text = readFileSync(join(__dirname, file), 'utf8')
  const found = file.endsWith('.py') ? text.includes(`def ${name}(`) : text.includes(`'${name}'`)
  expect(found).toBe(true)
})
