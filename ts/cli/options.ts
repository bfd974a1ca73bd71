/** Parsers of command-line values: each refuses with one sentence what it cannot read. */
import { InvalidArgumentError } from 'commander'

/** A whole number of at least `least`. */
export const wholeNumber =
  (least: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Expected a whole number of at least ${least}, got \`${text}\`.`)
    }
    return value
  }

/** A finite number in [least, most]. */
export const number =
  (least = -Infinity, most = Infinity) =>
  (text: string): number => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isFinite(value) || value < least || value > most) {
      throw new InvalidArgumentError(`Expected a number in [${least}, ${most}], got \`${text}\`.`)
    }
    return value
  }

/** A share in [0, 1], written as `0.4` or `40%`. */
export function share(text: string): number {
  const [, digits, percent] = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*(%?)\s*$/.exec(text) ?? []
  const value = Number(digits) / (percent === '%' ? 100 : 1)
  if (value >= 0 && value <= 1) return value
  throw new InvalidArgumentError(`Expected a share in [0, 1] such as 0.4 or 40%, got \`${text}\`.`)
}

/** A size on the [0, 1] image scale, written as `0.031` or `8/255`; the notation is kept, since the two differ. */
export function imageDistance(text: string): { value: number; notation: string } {
  const match = /^\s*(\d+(?:\.\d+)?|\.\d+)(?:\s*\/\s*(\d+(?:\.\d+)?))?\s*$/.exec(text)
  const value = match ? Number(match[1]) / Number(match[2] ?? 1) : NaN
  if (!(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError(`Expected a distance in [0, 1] such as 0.031 or 8/255, got \`${text}\`.`)
  }
  return { value, notation: text.replaceAll(' ', '') }
}

/** Names separated by commas, each one of `known`. */
export const names =
  (known: readonly string[]) =>
  (text: string): string[] => {
    const given = text.split(',').map((name) => name.trim())
    const unknown = given.filter((name) => !known.includes(name))
    if (unknown.length > 0) {
      throw new InvalidArgumentError(`Expected names among ${known.join(', ')}, got \`${unknown.join(', ')}\`.`)
    }
    return [...new Set(given)]
  }

/** Seeds separated by commas, each a whole number. */
export function seeds(text: string): number[] {
  return [...new Set(text.split(',').map((part) => wholeNumber(0)(part.trim())))]
}
