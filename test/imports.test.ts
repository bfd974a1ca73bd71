/** The import rules of the folders: arrows only point down, and folders of one row do not know each other. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const root = resolve(__dirname, '..')
const middle = ['penalties', 'splitting', 'schedules', 'losses', 'threats', 'attacks']
const upper = ['training', 'evaluation', 'compaction', 'tables', 'report']

/** Folder of ts/ (or `bridge`, `setup`) to the folders it may import. */
const allowed: Record<string, readonly string[]> = {
  bridge: ['setup'],
  setup: [],
  tensor: ['bridge'],
  records: [],
  ...Object.fromEntries(middle.map((name) => [name, ['tensor']])),
  training: [...middle, 'records', 'tensor'],
  evaluation: [...middle, 'records', 'tensor'],
  compaction: [...middle, 'tensor'],
  cost: ['records', 'tensor'],
  tables: ['records'],
  report: ['records', 'tables'],
  cli: [...upper, 'cost', ...middle, 'records', 'tensor', 'bridge', 'setup', 'benchmarks', 'index'],
  index: [...upper, 'cost', ...middle, 'records', 'tensor', 'bridge'],
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return name === 'vendor' ? [] : filesBelow(path)
    return path.endsWith('.ts') ? [path] : []
  })
}

/** The folder that decides what a file may import. */
function folderOf(path: string): string {
  const parts = relative(root, path).split('/')
  if (parts[0] !== 'ts') return parts[0] ?? ''
  return parts.length === 2 ? (parts[1] ?? '').replace(/\.ts$/, '') : (parts[1] ?? '')
}

export function importsOf(source: string): string[] {
  return [...source.matchAll(/(?:from|import|require\()\s*\(?['"](\.{1,2}\/[^'"]+)['"]/g)].map(
    (match) => match[1] ?? '',
  )
}

function violations(path: string, source: string): string[] {
  const from = folderOf(path)
  const may = allowed[from]
  if (may === undefined) return [`${relative(root, path)} lies in \`${from}\`, which has no import rule`]
  return importsOf(source).flatMap((specifier) => {
    const to = folderOf(resolve(dirname(path), specifier))
    return to === from || may.includes(to) ? [] : [`${relative(root, path)} (${from}) imports ${specifier} (${to})`]
  })
}

test('every import points down', () => {
  const files = ['ts', 'bridge'].flatMap((folder) => filesBelow(join(root, folder)))
  expect(files.length).toBeGreaterThan(30)
  expect(files.flatMap((path) => violations(path, readFileSync(path, 'utf8')))).toEqual([])
})

test('the check sees an upward import and an import between siblings', () => {
  expect(violations(join(root, 'bridge/x.ts'), "import { y } from '../ts/tensor/plan'")).toHaveLength(1)
  expect(violations(join(root, 'ts/attacks/x.ts'), "import type { y } from '../losses/adversarial'")).toHaveLength(1)
  expect(violations(join(root, 'ts/attacks/x.ts'), "const y = await import('../training/train')")).toHaveLength(1)
  expect(violations(join(root, 'ts/attacks/x.ts'), "import type { Attack } from '../tensor/kinds'")).toEqual([])
})
