/**
 * Checks of the numbers that penalties, attacks, schedules and configurations are built from: a bad one is refused,
 * never repaired.
 */

/** The numbers that are admissible: [least, most], without `least` itself when `open`. */
export interface Range {
  readonly least?: number
  readonly most?: number
  /** `least` itself is refused. */
  readonly open?: boolean
  readonly integer?: boolean
}

function describe({ least = -Infinity, most = Infinity, open = false, integer = false }: Range): string {
  const kind = integer ? 'an integer' : 'a number'
  const left = open || least === -Infinity ? '(' : '['
  return `${kind} in ${left}${least}, ${most}${most === Infinity ? ')' : ']'}`
}

/** How a value is shown in a message: the value and its type. */
export function show(value: unknown): string {
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  const text = typeof value === 'number' || value === undefined ? String(value) : (JSON.stringify(value) ?? type)
  return `\`${text}\` (${type})`
}

/**
 * Gives `value` back when it is a number in the range; NaN and infinities never are. Throws a RangeError of one
 * sentence.
 */
export function expectNumber(name: string, value: unknown, range: Range = {}): number {
  const { least = -Infinity, most = Infinity, open = false, integer = false } = range
  if (
    typeof value !== 'number' ||
    !Number.isFinite(value) ||
    value < least ||
    value > most ||
    (open && value === least) ||
    (integer && !Number.isSafeInteger(value))
  ) {
    throw new RangeError(`Expected \`${name}\` to be ${describe(range)}, got ${show(value)}`)
  }
  return value
}

/** The same for a number that may be a 0-d tensor as well; what a tensor holds is not known while a plan is traced. */
export function expectScalar(name: string, value: unknown, range: Range = {}): void {
  if (typeof value !== 'object' || value === null) expectNumber(name, value, range)
}

/** Gives `value` back when it is one of `known`; the message of the RangeError lists them. */
export function expectOneOf<T extends string | boolean>(name: string, value: unknown, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === value)
  if (found === undefined)
    throw new RangeError(`Expected \`${name}\` to be one of ${known.join(', ')}, got ${show(value)}`)
  return found
}

/**
 * Throws a RangeError unless `value` is an object with all of the required keys and no others than the optional ones.
 */
export function expectKeys(
  name: string,
  value: unknown,
  required: readonly string[],
  optional: readonly string[] = [],
): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RangeError(`Expected \`${name}\` to be an object with ${required.join(', ')}, got ${show(value)}`)
  }
  const missing = required.find((key) => !(key in value))
  if (missing !== undefined)
    throw new RangeError(`Expected \`${name}\` to have \`${missing}\`, got ${Object.keys(value).join(', ')}`)
  const known = [...required, ...optional]
  const unknown = Object.keys(value).find((key) => !known.includes(key))
  if (unknown !== undefined)
    throw new RangeError(`Expected the keys of \`${name}\` to be among ${known.join(', ')}, got \`${unknown}\``)
}
