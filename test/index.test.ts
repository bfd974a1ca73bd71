/** Every algorithm is reachable from the package's index under a name of its own. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as feynkac from '../ts/index'

const folders = ['attacks', 'losses', 'penalties', 'schedules', 'splitting', 'threats', 'tables']
const files = folders.flatMap((folder) =>
  readdirSync(join(__dirname, '..', 'ts', folder))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
)

test.each(files)('%s is exported', async (file) => {
  const { default: algorithm } = (await import(join('..', 'ts', file.replace(/\.ts$/, '')))) as { default: unknown }
  expect(Object.values(feynkac)).toContain(algorithm)
})
