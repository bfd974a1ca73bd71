/** All finished runs below a runs folder. A record that cannot be read is reported by name, never skipped in silence. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { RecordError } from './check'
import { readMetrics, type EpochMetrics } from './metrics'
import type { RunRecord } from './record'
import { readRecordFile } from './run_folder'

export interface FoundRuns {
  runs: { record: RunRecord; folder: string }[]
  /** Folders that hold a configuration but no record yet: unfinished runs. */
  unfinished: string[]
  broken: { path: string; reason: string }[]
}

/**
 * Looks at runs/<experiment>/<hash>/record.json of one experiment, or of all without `experiment`; sorted by path.
 * A folder that does not exist holds no runs.
 */
export function findRecords(root: string, experiment?: string): FoundRuns {
  const found: FoundRuns = { runs: [], unfinished: [], broken: [] }
  for (const name of experiment === undefined ? folders(root) : [experiment]) {
    for (const hash of folders(join(root, name))) {
      const folder = join(root, name, hash)
      const path = join(folder, 'record.json')
      try {
        const record = readRecordFile(path)
        if (record === null) {
          if (existsSync(join(folder, 'config.json'))) found.unfinished.push(folder)
        } else if (record.hash !== hash) {
          found.broken.push({ path, reason: `Expected \`hash\` to be that of the folder, got \`${record.hash}\`` })
        } else {
          found.runs.push({ record, folder })
        }
      } catch (error) {
        if (!(error instanceof RecordError)) throw error
        found.broken.push({ path, reason: error.message })
      }
    }
  }
  return found
}

/** Epoch metrics of a found run, for the training curves. */
export function metricsOf(folder: string): EpochMetrics[] {
  return readMetrics(join(folder, 'metrics.jsonl'))
}

function folders(path: string): string[] {
  if (!existsSync(path)) return []
  const entries = readdirSync(path, { withFileTypes: true })
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort()
}
