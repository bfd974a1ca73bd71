/** Small value checks that fail with one sentence: which field, what was expected, what arrived. */

/** A record, a configuration or a run folder that cannot be used as it is. */
export class RecordError extends Error {
  override name = 'RecordError'
}

/** Returns the value with its type, or throws {@link RecordError}; `at` is the path printed in the message. */
export type Check<T> = (value: unknown, at: string) => T

/** `8` (number) */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  // JSON has neither NaN nor bigint, and of a function only the type is worth printing.
  const plain = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
  const written = plain ? String(value) : (JSON.stringify(value) ?? type)
  return `\`${written.length > 60 ? `${written.slice(0, 57)}...` : written}\` (${type})`
}

export function refuse(at: string, wanted: string, got: unknown): never {
  throw new RecordError(`Expected \`${at}\` to be ${wanted}, got ${describe(got)}`)
}

export const text: Check<string> = (value, at) =>
  typeof value === 'string' && value !== '' ? value : refuse(at, 'a non-empty string', value)

export const anyText: Check<string> = (value, at) => (typeof value === 'string' ? value : refuse(at, 'a string', value))

export const flag: Check<boolean> = (value, at) =>
  typeof value === 'boolean' ? value : refuse(at, 'true or false', value)

export const finite: Check<number> = (value, at) =>
  typeof value === 'number' && Number.isFinite(value) ? value : refuse(at, 'a finite number', value)

/** A finite number >= 0. */
export const amount: Check<number> = (value, at) =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0
    ? value
    : refuse(at, 'a finite number of at least 0', value)

/** An integer >= `low`, exactly representable. */
export const integer =
  (low: number): Check<number> =>
  (value, at) =>
    Number.isSafeInteger(value) && (value as number) >= low
      ? (value as number)
      : refuse(at, `an integer of at least ${low}`, value)

export const exactly =
  <T extends string | number>(wanted: T): Check<T> =>
  (value, at) =>
    value === wanted ? wanted : refuse(at, `\`${wanted}\``, value)

export const nullable =
  <T>(check: Check<T>): Check<T | null> =>
  (value, at) =>
    value === null ? null : check(value, at)

export const list =
  <T>(check: Check<T>): Check<T[]> =>
  (value, at) =>
    Array.isArray(value) ? value.map((item, i) => check(item, `${at}[${i}]`)) : refuse(at, 'an array', value)

export const plainObject: Check<Record<string, unknown>> = (value, at) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : refuse(at, 'an object', value)

/** An object whose keys are free and whose values all pass `check`. */
export const dictionary =
  <T>(check: Check<T>): Check<Record<string, T>> =>
  (value, at) =>
    Object.fromEntries(Object.entries(plainObject(value, at)).map(([key, item]) => [key, check(item, `${at}.${key}`)]))

/** An object with exactly these fields: a missing one and an unknown one are both refused. */
export const shape =
  <T extends object>(fields: { [K in keyof T]: Check<T[K]> }): Check<T> =>
  (value, at) => {
    const object = plainObject(value, at)
    const known = Object.keys(fields) as (keyof T & string)[]
    const unknown = Object.keys(object).find((key) => !(known as string[]).includes(key))
    if (unknown !== undefined) {
      throw new RecordError(`Expected \`${at}\` to have the fields ${known.join(', ')}, got an unknown \`${unknown}\``)
    }
    return Object.fromEntries(known.map((key) => [key, fields[key](object[key], `${at}.${key}`)])) as T
  }
