/** The median with its distribution-free 95 % confidence interval from order statistics (binomial, p = 1/2). */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
  readonly n: number
}

/** Largest k with P(Binomial(n, 1/2) < k) <= 0.025: the interval is the k-th smallest to the k-th largest value. */
function rank(n: number): number {
  let term = 0.5 ** n
  let below = 0
  for (let k = 0; k < n; k++) {
    below += term
    if (below > 0.025) return k
    term *= (n - k) / (k + 1)
  }
  return 0
}

/** @throws RangeError for an empty list, or one too long for the exact binomial (over 1,000 values). */
export function spreadOf(values: readonly number[]): Spread {
  const n = values.length
  if (n === 0 || n > 1000) throw new RangeError(`Expected 1 to 1,000 values, got ${n}`)
  const sorted = [...values].sort((a, b) => a - b)
  const at = (index: number): number => sorted[Math.min(Math.max(index, 0), n - 1)]!
  const k = Math.max(rank(n), 1)
  return { median: (at((n - 1) >> 1) + at(n >> 1)) / 2, low: at(k - 1), high: at(n - k), n }
}
