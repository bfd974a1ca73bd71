/** All finished runs below a runs folder. A record that cannot be read is reported by name, never skipped in silence. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { finite, list, RecordError } from './check'
import { readMetrics, type EpochMetrics } from './metrics'
import { parseJson, type RunRecord } from './record'
import { readRecordFile } from './run_folder'

/** runs/<experiment of up to three names>/<hash>. */
const DEPTH = 4

export interface FoundRun {
  record: RunRecord
  folder: string
}

/** What lies below a runs folder. */
export interface FoundRuns {
  runs: FoundRun[]
  /** Folders that hold a configuration but no record yet: unfinished runs. */
  unfinished: string[]
  broken: { path: string; reason: string }[]
}

/**
 * Looks at <experiment>/<hash>/record.json of one experiment, or of all without `experiment`; sorted by path.
 * A folder that does not exist holds no runs.
 */
export function findRecords(root: string, experiment?: string): FoundRuns {
  const found: FoundRuns = { runs: [], unfinished: [], broken: [] }
  for (const folder of runFolders(experiment === undefined ? root : join(root, experiment), DEPTH)) {
    const path = join(folder, 'record.json')
    try {
      const record = readRecordFile(path)
      if (record === null) found.unfinished.push(folder)
      else if (record.hash === basename(folder)) found.runs.push({ record, folder })
      else
        found.broken.push({
          path,
          reason: `Expected \`${path}\` to have the hash of its folder, got \`${record.hash}\``,
        })
    } catch (error) {
      if (!(error instanceof RecordError)) throw error
      found.broken.push({ path, reason: error.message })
    }
  }
  return found
}

/** Epoch metrics by run hash, for the training curves. */
export function metricsOf(runs: readonly FoundRun[]): Record<string, EpochMetrics[]> {
  return Object.fromEntries(runs.map(({ record, folder }) => [record.hash, readMetrics(join(folder, 'metrics.jsonl'))]))
}

/** Norms of all input channels by run hash, of the runs that have a `channel-norms.json` (an array of numbers). */
export function channelNormsOf(runs: readonly FoundRun[]): Record<string, number[]> {
  const files = runs.map(({ record, folder }) => ({ hash: record.hash, path: join(folder, 'channel-norms.json') }))
  const there = files.filter(({ path }) => existsSync(path))
  return Object.fromEntries(
    there.map(({ hash, path }) => [hash, list(finite)(parseJson(readFileSync(path, 'utf8'), path), path)]),
  )
}

/** Folders with a config.json or a record.json, at most `depth` levels down. */
function runFolders(path: string, depth: number): string[] {
  if (!existsSync(path)) return []
  if (existsSync(join(path, 'config.json')) || existsSync(join(path, 'record.json'))) return [path]
  if (depth === 0) return []
  const folders = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return folders.flatMap(({ name }) => runFolders(join(path, name), depth - 1)).sort()
}
