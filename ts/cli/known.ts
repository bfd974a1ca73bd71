/**
 * What a run depends on besides its configuration, found without starting a worker when nothing changed: the torch version of the interpreter
 * and the checksums of the data. This is what makes a second `reproduce` instant.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** The facts of a data set that belong to a run's identity, and the files that they were read from. */
export interface KnownData {
  readonly title: string
  readonly official: boolean
  /** SHA-256 of the loaded images and labels of both splits. */
  readonly checksum: string
  readonly files: readonly { readonly path: string; readonly size: number; readonly modifiedMs: number }[]
}

interface Cache {
  readonly data: Record<string, KnownData>
}

/** torch's version as its package metadata has it; does not import torch (50 ms instead of 3 s). */
export function torchVersion(python: string): string {
  const code = 'import importlib.metadata as m; print(m.version("torch"))'
  return execFileSync(python, ['-c', code], { encoding: 'utf8' }).trim()
}

/** Size and time of a file, to notice that it changed. */
export function stampOf(path: string): KnownData['files'][number] {
  const { size, mtimeMs } = statSync(path)
  return { path, size, modifiedMs: Math.round(mtimeMs) }
}

const key = (name: string, root: string | undefined): string => `${name} ${root === undefined ? '' : resolve(root)}`
const cachePath = (runs: string): string => join(runs, 'known-data.json')

function readCache(runs: string): Cache {
  try {
    return JSON.parse(readFileSync(cachePath(runs), 'utf8')) as Cache
  } catch {
    // a missing or torn cache only means that the worker looks again
    return { data: {} }
  }
}

/** The facts of a data set from an earlier run, or null when there are none or a file changed since. */
export function knownData(runs: string, name: string, root: string | undefined): KnownData | null {
  const known = readCache(runs).data[key(name, root)]
  if (known === undefined) return null
  const unchanged = known.files.every((file) => {
    try {
      const now = stampOf(file.path)
      return now.size === file.size && now.modifiedMs === file.modifiedMs
    } catch {
      return false
    }
  })
  return unchanged && known.files.length > 0 ? known : null
}

/** Keeps the facts of a data set for the next run. */
export function rememberData(runs: string, name: string, root: string | undefined, known: KnownData): void {
  const { data } = readCache(runs)
  const path = cachePath(runs)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.${process.pid}`, JSON.stringify({ data: { ...data, [key(name, root)]: known } }, null, 2))
  renameSync(`${path}.${process.pid}`, path)
}
