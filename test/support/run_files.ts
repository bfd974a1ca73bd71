/** The files of training runs in a temporary folder, and their hashes. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EpochMetrics } from '../../ts/training/state'
import type { TrainFolder } from '../../ts/training/train'

/** A folder for one run, and the metrics that it logged. */
export interface RunFiles extends TrainFolder {
  readonly logged: EpochMetrics[]
}

/** A fresh temporary folder for each test; call the result inside a test with a name for each run. */
export function useFolder(): (name: string) => RunFiles {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'feynkac-train-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))
  return (name) => {
    const logged: EpochMetrics[] = []
    return { path: (file) => join(root, `${name}.${file}`), append: (metrics) => void logged.push(metrics), logged }
  }
}

/**
 * SHA-256 of a safetensors file, its header with sorted keys: their order in a file is arbitrary, the bytes of the
 * tensors are not.
 */
export function hash(files: TrainFolder, name: string): string {
  const bytes = readFileSync(files.path(name))
  const body = 8 + Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.subarray(8, body).toString()) as Record<string, object>
  const sorted = Object.keys(header)
    .sort()
    .map((key) => [key, Object.entries(header[key]!).sort()])
  return createHash('sha256').update(JSON.stringify(sorted)).update(bytes.subarray(body)).digest('hex')
}
