/**
 * Methods by name, for configurations: the file name is the registration, so a folder is its own list.
 * Code that knows what it wants imports the file and keeps its types.
 */
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Attack, Loss, Penalty, Schedule, Splitting, Threat } from '../tensor/kinds'
import { expectOneOf } from '../tensor/options'

const load = createRequire(__filename)

/** The folders of methods and what the default export of a file there makes. */
export interface Methods {
  penalties: Penalty
  splitting: Splitting
  schedules: Schedule
  losses: Loss
  threats: Threat
  attacks: Attack
}

/** The names of a folder's methods. Subfolders hold what methods share. */
export function methodNames(folder: keyof Methods): string[] {
  return readdirSync(join(__dirname, '..', folder), { withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.d)\.[tj]s$/.test(entry.name))
    .map((entry) => entry.name.replace(/\.[tj]s$/, ''))
    .sort()
}

/** Makes the method `name` of a folder from its options; an unknown name is refused with the known ones. */
export function makeMethod<K extends keyof Methods>(folder: K, name: string, options: object = {}): Methods[K] {
  expectOneOf(folder, name, methodNames(folder))
  const file = load(join(__dirname, '..', folder, name)) as { default: (options: object) => Methods[K] }
  return file.default(options)
}
