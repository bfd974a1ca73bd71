/** The tables by name: every file of ts/tables whose default export is a table. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Table } from '../tables/shared/table'

const folder = join(__dirname, '..', 'tables')

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && 'published' in value && 'build' in value
}

function all(): Table[] {
  const files = readdirSync(folder).filter((name) => /(?<!\.d)\.(ts|js)$/.test(name))
  return files.flatMap((name) => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- the file name is the registration
    const found = (require(join(folder, name)) as { default?: unknown }).default
    return isTable(found) ? [found] : []
  })
}

export const tableNames = (): string[] => all().map(({ name }) => name)

/** The table of that name; an unknown one is refused with the known ones. */
export function tableNamed(name: string): Table {
  const found = all().find((table) => table.name === name)
  if (found === undefined)
    throw new Error(`Expected \`table\` to be one of ${tableNames().join(', ')}, got \`${name}\``)
  return found
}
