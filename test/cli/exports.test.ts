/** `feynkac table --format`, `figures` and `tensorboard` on records that are there. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CELLS } from '../../ts/cli/cells'
import { program } from '../../ts/cli/main'
import { smokeRecords } from '../records/fake'

const name = 'sparsity-meets-robustness/table-2'
const folder = mkdtempSync(join(tmpdir(), 'feynkac-test-'))
const runs = join(folder, 'runs')
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterEach(() => jest.restoreAllMocks())

const records = smokeRecords()
for (const record of records) {
  const run = join(runs, CELLS, record.hash)
  mkdirSync(run, { recursive: true })
  writeFileSync(join(run, 'record.json'), JSON.stringify(record))
  writeFileSync(join(run, 'metrics.jsonl'), '{"epoch":1,"loss":2}\n')
}

/** What a command prints. */
async function printed(...args: string[]): Promise<string> {
  let text = ''
  jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk)
    return true
  })
  await program().parseAsync(['node', 'feynkac', ...args])
  return text
}

test('a table as LaTeX and as CSV whose every line ends with CR LF', async () => {
  expect(await printed('table', name, '--runs', runs, '--format', 'latex')).toMatch(/\\end\{table\}\n$/)
  const csv = await printed('table', name, '--runs', runs, '--format', 'csv')
  expect(csv.match(/\r\n/g)).toHaveLength(1 + 4 * 6)
  expect(csv.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
})

test('figures are written and named; without runs there is nothing to draw', async () => {
  const out = join(folder, 'figures')
  const said = await printed('figures', name, '--runs', runs, '--out', out, '--format', 'svg,png', '--json')
  const { files } = JSON.parse(said) as { files: string[] }
  expect(files).toEqual(['lambda.svg', 'lambda.png', 'training.svg', 'training.png'].map((file) => join(out, file)))
  expect(files.every(existsSync)).toBe(true)
  await expect(printed('figures', name, '--runs', join(folder, 'none'))).rejects.toThrow(/^Expected finished runs/)
})

test('an event file a run; that of the time when it was unfinished goes', async () => {
  const out = join(folder, 'events')
  const convert = async (): Promise<string[]> =>
    (JSON.parse(await printed('tensorboard', '--runs', runs, '--out', out, '--json')) as { files: string[] }).files
  const run = join(runs, CELLS, records[0]!.hash)
  const record = readFileSync(join(run, 'record.json'))
  rmSync(join(run, 'record.json'))
  writeFileSync(join(run, 'config.json'), '{}')
  const early = (await convert()).find((file) => file.includes(records[0]!.hash))
  writeFileSync(join(run, 'record.json'), record)
  expect(early && existsSync(early)).toBe(true)
  const files = await convert()
  expect(files).toHaveLength(4)
  expect(files.every((file) => existsSync(file))).toBe(true)
  expect(files).not.toContain(early)
  expect(existsSync(early!)).toBe(false)
  expect(readFileSync(files[0]!).includes('train/loss')).toBe(true)
  expect(readFileSync(files[0]!).includes('test/ifgsm20')).toBe(true)
})
