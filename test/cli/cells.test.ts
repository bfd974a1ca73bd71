/** The cells of a table, one after the other or side by side: same numbers, one record each, and nothing is done twice. */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPython } from '../../setup/environment'
import { CELLS, type CellOptions, finished, runCells } from '../../ts/cli/cells'
import type { Experiment } from '../../ts/cli/experiment'
import { knownData, torchVersion, type KnownData } from '../../ts/cli/known'
import { cellOf } from '../../ts/cli/rows'
import type { Terminal } from '../../ts/cli/terminal'
import { findRecords } from '../../ts/records/find'
import { dense, rgsm } from '../../ts/tables/shared/rows'
import { configure, presets } from '../../ts/training/presets'

const folder = mkdtempSync(join(tmpdir(), 'feynkac-cells-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const data = 'fashion_mnist_subset'
const { smoke } = presets
const tiny = {
  ...smoke,
  evaluation: { ...smoke.evaluation, batch: 10, limit: 10 },
  training: { ...smoke.training, epochs: 1, images: 64 },
}

const experiments = (known: KnownData): Experiment[] =>
  [dense('ResNet8'), rgsm('ResNet8', 1), dense('En1ResNet8')].map((row) => ({
    ...{ table: 'a-paper/table-1', preset: 'tiny', row, evaluation: tiny.evaluation, data: { name: data, known } },
    train: configure(tiny, cellOf(row, tiny.rho), { seed: 0, threads: 1 }),
  }))

function options(name: string, jobs: number): CellOptions & { readonly notes: string[] } {
  const notes: string[] = []
  const task = { update: () => undefined, finish: () => undefined }
  const terminal: Terminal = {
    note: (line) => notes.push(line),
    result: () => undefined,
    task: () => task,
    close: () => undefined,
  }
  const device = 'cpu'
  const versions = { torch: torchVersion(findPython().python), threads: 1, device }
  return { runs: join(folder, name), data, device, threads: 1, jobs, versions, terminal, experiments, notes }
}

const measured = (runs: string) =>
  findRecords(runs, CELLS).runs.map(({ record: { hash, measured, sparsity } }) => ({ hash, measured, sparsity }))

test('two jobs measure what one measures, and a second call reuses every record', async () => {
  const [one, two] = [options('one', 1), options('two', 2)]
  await runCells(one)
  await runCells(two)
  expect(measured(one.runs)).toHaveLength(3)
  expect(measured(two.runs)).toEqual(measured(one.runs))
  const known = knownData(two.runs, data, undefined)!
  expect(finished(experiments(known), two.runs, two.versions)).toBe(true)

  const times = () => findRecords(two.runs).runs.map(({ folder }) => statSync(join(folder, 'record.json')).mtimeMs)
  const before = times()
  two.notes.length = 0
  await runCells(two)
  expect(two.notes.filter((note) => note.endsWith('recorded before, reused'))).toHaveLength(3)
  expect(times()).toEqual(before)
})

test('a failing cell ends the table with its error; what was recorded before stays', async () => {
  const broken = options('broken', 1)
  const wrong = (known: KnownData): Experiment[] => {
    const [first, second, third] = experiments(known) as [Experiment, Experiment, Experiment]
    return [first, { ...second, train: { ...second.train, epochs: 0 } }, third]
  }
  await expect(runCells({ ...broken, experiments: wrong })).rejects.toThrow(/^Expected `epochs` to be/)
  expect(findRecords(broken.runs, CELLS).runs.map(({ record }) => record.network)).toEqual(['ResNet8'])
})
