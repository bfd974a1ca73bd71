/** Where the package lies on disk: sources and `dist` both find `py/`, `bridge/ops.json` and package.json from here. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

let found: { root: string; version: string } | undefined

function search(): { root: string; version: string } {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (existsSync(file)) {
      const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string }
      if (name === 'feynkac') return { root: folder, version: version ?? '0.0.0' }
    }
    if (folder === dirname(folder))
      throw new Error('Expected a package.json named feynkac above the bridge, found none')
  }
}

export const packageRoot = (): string => (found ??= search()).root

export const packageVersion = (): string => (found ??= search()).version
