/** Histograms of known bins: counted here from numbers that are here, and by `weightCounts` from tensors that stay in the worker. */
import { RecordError } from './check'

/** Bin i holds what is at least edges[i] and below edges[i + 1]; the last one also holds its upper edge. */
export interface Histogram {
  /** Ascending, one more than bins. */
  readonly edges: readonly number[]
  readonly counts: readonly number[]
  /** What lies below the first and above the last edge. */
  readonly below: number
  readonly above: number
}

/** The edges of `bins` bins of equal width from `low` to `high`. */
export function evenEdges(low: number, high: number, bins: number): number[] {
  if (!(high > low) || !Number.isSafeInteger(bins) || bins < 1) {
    throw new RecordError(`Expected bins from low to a greater high, got ${bins} from ${low} to ${high}`)
  }
  return Array.from({ length: bins + 1 }, (_, i) => low + ((high - low) * i) / bins)
}

/** Counts finite numbers into the bins between ascending edges. */
export function histogramOf(values: readonly number[], edges: readonly number[]): Histogram {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)
  let i = 0
  const upTo = edges.map((edge, k) => {
    const last = k === edges.length - 1
    while (i < sorted.length && (sorted[i]! < edge || (last && sorted[i] === edge))) i++
    return i
  })
  return fromCumulative(edges, upTo, sorted.length)
}

/** From the numbers of values below each edge (up to and with the last one), and of all of them. */
export function fromCumulative(edges: readonly number[], upTo: readonly number[], total: number): Histogram {
  const counts = upTo.slice(1).map((count, i) => count - upTo[i]!)
  return { edges, counts, below: upTo[0]!, above: total - upTo.at(-1)! }
}
