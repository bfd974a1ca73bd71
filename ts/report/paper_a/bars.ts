/** Bars of counted bins for the figures of paper A. */
import type { Histogram } from '../../records/histogram'

export interface Bar {
  readonly from: number
  readonly to: number
  readonly count: number
  readonly kind: 'zero' | 'not zero'
}

/** The bins that hold anything. */
export const barsOf = ({ edges, counts }: Histogram): Bar[] =>
  counts.flatMap((count, i) =>
    count === 0 ? [] : [{ from: edges[i]!, to: edges[i + 1]!, count, kind: 'not zero' as const }],
  )

/** `3.64 %`: two digits, as the paper prints shares. */
export const shareText = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(2)} %`

/** An x axis of binned numbers. */
export const binned = (title: string, domain: readonly [number, number], values: readonly number[], format = '~g') => ({
  field: 'from',
  type: 'quantitative',
  bin: 'binned',
  scale: { domain, nice: false },
  title,
  // 0 is 0 in every format
  axis: { values, grid: false, labelExpr: `datum.value === 0 ? '0' : format(datum.value, '${format}')` },
})
