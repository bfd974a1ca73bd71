/**
 * Plain values for Python functions and back, as JSON text. JSON has neither NaN nor infinity nor integers beyond 2^53, so these travel
 * tagged; `py/feynkac_worker/plain.py` is the other side and tells how. Integers beyond 2^53 arrive as bigint.
 */
import { FeynkacError } from './errors'

const FLOATS: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, '-inf': -Infinity }
const DEPTH = 64

/** JSON text of a plain value; throws one sentence for anything else. `special` may replace objects of its own. */
export const encodePlain = (value: unknown, special?: (value: object) => unknown): string =>
  JSON.stringify(down(value, 0, special))

/** The value of what Python wrote, parsed as JSON. */
export const decodePlain = (parsed: unknown): unknown => up(parsed)

function down(value: unknown, depth: number, special?: (value: object) => unknown): unknown {
  if (depth > DEPTH) throw new FeynkacError(`Expected values nested at most ${DEPTH} deep, got deeper ones`)
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'bigint') return { $: 'int', value: String(value) }
  if (typeof value === 'number') {
    if (Number.isNaN(value)) return { $: 'nan' }
    // JSON.stringify drops the sign.
    if (Object.is(value, -0)) return { $: '-0' }
    return Number.isFinite(value) ? value : { $: value > 0 ? 'inf' : '-inf' }
  }
  if (typeof value === 'object') {
    const replaced = special?.(value)
    if (replaced !== undefined) return replaced
    const below = (item: unknown): unknown => down(item, depth + 1, special)
    if (Array.isArray(value)) return Array.from(value, below)
    const prototype: unknown = Object.getPrototypeOf(value)
    // An object of another realm (jest's) has another Object.prototype, which has no prototype either.
    if (prototype === null || Object.getPrototypeOf(prototype) === null) {
      const pairs = Object.entries(value).map(([key, item]) => [key, below(item)] as const)
      return '$' in value ? { $: 'map', value: pairs } : Object.fromEntries(pairs)
    }
  }
  const kind = typeof value === 'object' ? value.constructor.name : typeof value
  throw new FeynkacError(
    `Expected numbers, strings, booleans, null, and arrays or plain objects of them for Python, got ${kind}`,
  )
}

function up(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(up)
  if (typeof value !== 'object' || value === null) return value
  const { $: tag, value: inner } = value as { $?: string; value?: unknown }
  if (tag === undefined) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, up(item)]))
  if (tag === 'int') return BigInt(inner as string)
  if (tag === 'map') return Object.fromEntries((inner as [string, unknown][]).map(([key, item]) => [key, up(item)]))
  return FLOATS[tag]
}
