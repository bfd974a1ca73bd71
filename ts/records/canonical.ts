/** One text per value: keys sorted, no spaces. The identity of a run is the SHA-256 of its configuration in this form. */
import { createHash } from 'node:crypto'
import { RecordError, describe } from './check'

/** Throws {@link RecordError} for anything JSON would drop or change: undefined, NaN, functions, class instances. */
export function canonicalJson(value: unknown, at = 'config'): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value)
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${Array.from(value, (item, i) => canonicalJson(item, `${at}[${i}]`)).join(',')}]`
  if (isPlain(value)) {
    const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${fields.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item, `${at}.${key}`)}`).join(',')}}`
  }
  throw new RecordError(`Expected \`${at}\` to be a value that JSON can hold, got ${describe(value)}`)
}

/** SHA-256 of the canonical JSON, first 16 hex digits (64 bits). */
export function configHash(config: Record<string, unknown>): string {
  return createHash('sha256').update(canonicalJson(config)).digest('hex').slice(0, 16)
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
