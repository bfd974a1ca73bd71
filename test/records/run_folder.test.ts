import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { writeAtomically } from '../../ts/records/atomic'
import { findRecords, metricsOf } from '../../ts/records/find'
import { isAlive, lockHolder, type Holder } from '../../ts/records/lock'
import { RunFolder } from '../../ts/records/run_folder'
import type { RunRecord } from '../../ts/records/record'
import { fakeRecord } from './fake'

const config = { network: 'resnet8', seed: 0 }
let root = ''

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'feynkac-runs-'))
})
afterEach(() => rmSync(root, { recursive: true }))

/** A record of the folder's configuration. */
function recordOf(folder: RunFolder): RunRecord {
  const fake = fakeRecord({ network: 'ResNet8', lambda1: null, numbers: [786, 726, 699, 741, 0] })
  return { ...fake, experiment: folder.experiment, hash: folder.hash, config: folder.config }
}

/** Another process that opens the folder, prints a line, and appends metrics until it is killed. */
async function startHolder(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-r', 'ts-node/register/transpile-only', join(__dirname, 'holder.ts'), root], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(createInterface(child.stdout), 'line')
  return child
}

test('a folder is named by experiment and hash and keeps its files', () => {
  using folder = RunFolder.open(root, 'paper-a/table-2', config)
  expect(folder.folder).toBe(join(root, 'paper-a', 'table-2', folder.hash))
  expect(JSON.parse(readFileSync(folder.path('config.json'), 'utf8'))).toEqual(config)
  folder.append({ epoch: 1, loss: 1.5 })
  folder.append({ epoch: 2, loss: 1.25 })
  expect(folder.metrics()).toEqual([
    { epoch: 1, loss: 1.5 },
    { epoch: 2, loss: 1.25 },
  ])
  expect(folder.readRecord()).toBeNull()
  folder.writeRecord(recordOf(folder))
  expect(folder.readRecord()).toEqual(recordOf(folder))
  folder.clear()
  expect(readdirSync(folder.folder).sort()).toEqual(['config.json', 'lock'])
})

test('a second opening is refused until the first is closed', () => {
  const first = RunFolder.open(root, 'a', config)
  expect(() => RunFolder.open(root, 'a', config)).toThrow(
    /^Expected the run folder `.*` to be free, got a lock of this process on /,
  )
  expect(lockHolder(first.folder)).toBe(process.pid)
  first.close()
  expect(lockHolder(first.folder)).toBeNull()
  RunFolder.open(root, 'a', config).close()
  expect(readdirSync(first.folder)).toEqual(['config.json'])
})

test('a live process keeps its lock; after kill -9 the lock is taken over and whole lines are left', async () => {
  const child = await startHolder()
  expect(() => RunFolder.open(root, 'a', config)).toThrow(`a lock of process ${child.pid} on ${hostname()}`)
  child.kill('SIGKILL')
  await once(child, 'exit')
  using folder = RunFolder.open(root, 'a', config)
  const epochs = folder.metrics().map(({ epoch }) => epoch)
  expect(epochs.length).toBeGreaterThan(0)
  expect(epochs).toEqual(epochs.map((_, i) => i + 1))
  expect(lockHolder(folder.folder)).toBe(process.pid)
})

test('a pid that belongs to another process by now, or an earlier boot, is a dead holder', () => {
  const holder = JSON.parse(lockText()) as Holder
  expect(isAlive(holder)).toBe(true)
  // Without /proc there is no start time, and a pid alone has to count as alive.
  const known = existsSync('/proc/self/stat')
  expect(isAlive({ ...holder, start: `${holder.start}1` })).toBe(!known)
  expect(isAlive({ ...holder, boot: 'another boot' })).toBe(!known)
  expect(isAlive({ ...holder, host: 'elsewhere', start: 'any' })).toBe(true)
})

function lockText(): string {
  using folder = RunFolder.open(root, 'lock', config)
  return readFileSync(folder.path('lock'), 'utf8')
}

test('a lock of another machine or one that cannot be read is refused with advice', () => {
  const { folder } = RunFolder.open(root, 'a', config)
  const lock = join(folder, 'lock')
  const other = { ...(JSON.parse(readFileSync(lock, 'utf8')) as Holder), host: 'elsewhere' }
  writeFileSync(lock, JSON.stringify(other))
  expect(() => RunFolder.open(root, 'a', config)).toThrow(
    `on elsewhere, held since ${other.since}; delete \`${lock}\` if that process has ended`,
  )
  writeFileSync(lock, '')
  expect(() => RunFolder.open(root, 'a', config)).toThrow(
    /got a lock that cannot be read; delete `.*lock` if no other run is using/,
  )
  expect(readdirSync(folder).sort()).toEqual(['config.json', 'lock'])
})

test('a torn last line is dropped when the folder is opened, a torn line before it is an error', () => {
  const path = RunFolder.open(root, 'a', config).folder
  rmSync(join(path, 'lock'))
  appendFileSync(join(path, 'metrics.jsonl'), '{"epoch":1}\n{"epoch":2}\n{"epo')
  RunFolder.open(root, 'a', config).close()
  expect(readFileSync(join(path, 'metrics.jsonl'), 'utf8')).toBe('{"epoch":1}\n{"epoch":2}\n')
  appendFileSync(join(path, 'metrics.jsonl'), '{"epo\n{"epoch":4}\n')
  expect(() => RunFolder.open(root, 'a', config)).toThrow(
    `Expected \`${join(path, 'metrics.jsonl')}:3\` to hold JSON, got 5 characters that are not`,
  )
  expect(existsSync(join(path, 'lock'))).toBe(false)
})

test('metrics follow the epoch that training goes on from', () => {
  using folder = RunFolder.open(root, 'a', config)
  for (const epoch of [1, 2, 3, 4]) folder.append({ epoch, loss: epoch })
  folder.truncateMetrics(3)
  expect(folder.metrics().map(({ epoch }) => epoch)).toEqual([1, 2, 3])
  folder.append({ epoch: 2, loss: 20 })
  expect(folder.metrics()).toEqual([
    { epoch: 1, loss: 1 },
    { epoch: 2, loss: 20 },
  ])
  folder.writeMetrics([{ epoch: 1 }, { epoch: 2 }, { epoch: 3 }])
  expect(folder.metrics()).toHaveLength(3)
  expect(() => folder.append({ epoch: 0 })).toThrow(
    'Expected `metrics.epoch` to be an integer of at least 1, got `0` (number)',
  )
})

test('a record of another run is refused before anything is written', () => {
  using folder = RunFolder.open(root, 'a', config)
  const record = recordOf(folder)
  expect(() => folder.writeRecord({ ...record, hash: '0'.repeat(16) })).toThrow(
    /^Expected `record.hash` to be that of its run folder/,
  )
  expect(() => folder.writeRecord({ ...record, experiment: 'b' })).toThrow(
    'Expected `record.experiment` to be `a`, got `b` (string)',
  )
  expect(() => folder.writeRecord({ ...record, config: {} })).toThrow(
    /^Expected `record.config` to be the configuration the run folder/,
  )
  expect(readdirSync(folder.folder).sort()).toEqual(['config.json', 'lock'])
})

test('a config.json that does not belong to the hash is refused', () => {
  const { folder } = RunFolder.open(root, 'a', config)
  rmSync(join(folder, 'lock'))
  writeFileSync(join(folder, 'config.json'), '{"seed":1}')
  expect(() => RunFolder.open(root, 'a', config)).toThrow(
    /^Expected `.*config.json` to be the configuration with hash [0-9a-f]{16}, got another$/,
  )
})

test('names that leave the folder are refused', () => {
  using folder = RunFolder.open(root, 'a', config)
  expect(() => folder.path('../x')).toThrow('Expected `name` to be a plain file name, got `../x` (string)')
  expect(() => RunFolder.open(root, '../a', config)).toThrow(/^Expected `experiment` to be folder names of letters/)
})

test('a write that fails leaves the old content and no temporary file', () => {
  const path = join(root, 'target')
  writeAtomically(path, 'old')
  writeAtomically(path, 'new')
  expect(readFileSync(path, 'utf8')).toBe('new')
  mkdirSync(join(root, 'folder', 'full'), { recursive: true })
  expect(() => writeAtomically(join(root, 'folder'), 'text')).toThrow(
    /^Could not write `.*folder` \(.*\); what was there before is untouched$/,
  )
  expect(() => writeAtomically(join(root, 'none', 'x'), 'text')).toThrow('(no such file or folder)')
  expect(readdirSync(root).sort()).toEqual(['folder', 'target'])
})

test('temporary files of a killed process are cleared on opening', () => {
  const { folder } = RunFolder.open(root, 'a', config)
  rmSync(join(folder, 'lock'))
  writeFileSync(join(folder, 'record.json.123.tmp'), '{"schema"')
  RunFolder.open(root, 'a', config).close()
  expect(readdirSync(folder)).toEqual(['config.json'])
})

test('a runs folder that cannot be made says why', () => {
  writeFileSync(join(root, 'file'), '')
  expect(() => RunFolder.open(join(root, 'file'), 'a', config)).toThrow(
    /^Could not create the run folder `.*`: a part of the path is not a folder$/,
  )
})

test('finding records: finished, unfinished and broken ones are told apart', () => {
  const finished = RunFolder.open(root, 'paper-a/table-2', config)
  finished.append({ epoch: 1 })
  finished.writeRecord(recordOf(finished))
  const unfinished = RunFolder.open(root, 'paper-a/table-2', { ...config, seed: 1 })
  const broken = RunFolder.open(root, 'paper-a/table-2', { ...config, seed: 2 })
  writeFileSync(broken.path('record.json'), '{"schema":1}')
  const moved = RunFolder.open(root, 'other', { ...config, seed: 3 })
  writeFileSync(moved.path('record.json'), JSON.stringify(recordOf(finished)))
  const found = findRecords(root, 'paper-a/table-2')
  expect(found.runs).toEqual([{ record: recordOf(finished), folder: finished.folder }])
  expect(found.unfinished).toEqual([unfinished.folder])
  expect(found.broken).toEqual([
    {
      path: broken.path('record.json'),
      reason: `Expected \`${broken.path('record.json')}.experiment\` to be a non-empty string, got nothing`,
    },
  ])
  const all = findRecords(root)
  expect(all.runs).toHaveLength(1)
  expect(all.broken.map(({ reason }) => reason)).toContainEqual(
    expect.stringContaining('to have the hash of its folder'),
  )
  expect(metricsOf(found.runs)).toEqual({ [finished.hash]: [{ epoch: 1 }] })
  expect(findRecords(join(root, 'nowhere'))).toEqual({ runs: [], unfinished: [], broken: [] })
})
