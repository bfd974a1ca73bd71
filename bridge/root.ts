/** Where the package lies on disk: sources and `dist` both find `py/`, `bridge/ops.json` and package.json from here. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot as searchRoot } from '../setup/locations'

let root: string | undefined
let version: string | undefined

export const packageRoot = (): string => (root ??= searchRoot())

export const packageVersion = (): string =>
  (version ??= (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version)
