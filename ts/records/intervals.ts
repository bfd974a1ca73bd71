/**
 * How sure a number is. Wilson's score interval for one proportion (Wilson 1927), Newcombe's method 10 for the
 * difference of two (Newcombe 1998), mean and standard deviation over seeds. All at 95 %; fractions in and out.
 */
import { RecordError } from './check'

/** 97.5 % point of the normal distribution. */
const Z = 1.959963984540054

/** Both ends of a 95 % interval, as fractions. */
export interface Interval {
  low: number
  high: number
}

/**
 * Interval of a proportion: (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n). Unlike p -+ 2 standard errors
 * it stays inside [0, 1] and is not empty at 0 of n. `part` may be fractional (a mean over noise draws).
 */
export function wilson(part: number, n: number): Interval {
  if (!(n > 0) || !(part >= 0) || part > n) {
    throw new RecordError(`Expected \`part\` and \`n\` to satisfy 0 <= part <= n and n > 0, got ${part} and ${n}`)
  }
  const p = part / n
  const spread = Z * Math.sqrt((p * (1 - p)) / n + (Z * Z) / (4 * n * n))
  const scale = 1 + (Z * Z) / n
  const center = p + (Z * Z) / (2 * n)
  // At 0 of n and n of n the ends are exactly 0 and 1; rounding must not move them.
  return {
    low: part === 0 ? 0 : Math.max(0, (center - spread) / scale),
    high: part === n ? 1 : Math.min(1, (center + spread) / scale),
  }
}

/** p_b - p_a with Newcombe's interval, made of the two Wilson intervals; the samples count as independent. */
export function difference(
  a: { part: number; n: number },
  b: { part: number; n: number },
): Interval & { value: number } {
  const [pa, pb] = [a.part / a.n, b.part / b.n]
  const [wa, wb] = [wilson(a.part, a.n), wilson(b.part, b.n)]
  return {
    value: pb - pa,
    low: pb - pa - Math.hypot(pb - wb.low, wa.high - pa),
    high: pb - pa + Math.hypot(wb.high - pb, pa - wa.low),
  }
}

/** Mean and sample standard deviation (n - 1); `std` is null for a single value. */
export function meanStd(values: readonly number[]): { mean: number; std: number | null } {
  if (values.length === 0) throw new RecordError('Expected `values` to hold at least one number, got none')
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  if (values.length === 1) return { mean, std: null }
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, std: Math.sqrt(squares / (values.length - 1)) }
}
