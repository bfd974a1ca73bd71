/** Figure 1 of paper A (arXiv 2003.00631): histograms of the weights of a naturally and an adversarially trained network. */
import type { TopLevelSpec } from 'vega-lite'
import type { Histogram } from '../../records/histogram'
import { palette } from '../figure_style'
import { count } from '../format'
import { above, panelFigure } from '../panels'
import { barsOf, binned, shareText } from './bars'

/** Counts of the weights of one network. */
export interface WeightPanel {
  readonly title: string
  readonly total: number
  /** Exactly zero; not among the bars. */
  readonly zero: number
  /** |w| < 1e-3. */
  readonly small: number
  readonly histogram: Histogram
  /** What paper A prints for the share of small weights; null where it prints none. */
  readonly published: number | null
}

/** Shares that the text of paper A prints for ResNet20 on CIFAR-10, means of ten trials. */
export const publishedSmallShares: Readonly<Record<string, number>> = { NT: 0.0866, AT: 0.0364 }

/** The panels must have the same edges: their bars are compared. */
export function weightFigure(panels: readonly WeightPanel[], caption: readonly string[]): TopLevelSpec {
  const tallest = Math.max(...panels.flatMap(({ histogram, total }) => histogram.counts.map((n) => n / total)))
  return panelFigure({
    title: 'Weights of the convolutions',
    caption,
    characters: 105,
    columns: 2,
    spacing: { row: 130, column: 70 },
    panels: panels.map((panel) => ({ width: 340, height: 180, ...weightBars(panel, tallest, linesOf(panel)) })),
  })
}

function linesOf({ title, total, zero, small, published }: WeightPanel): string[] {
  const share = `${shareText(small, total)} of ${count(total)} weights have |w| < 0.001`
  return [
    title,
    published === null ? share : `${share}; published ${(100 * published).toFixed(2)} %`,
    ...(zero === 0 ? [] : [`${shareText(zero, total)} are exactly zero and not among the bars`]),
  ]
}

/** Bars as shares of all weights, so that networks of different sizes can be compared. */
export function weightBars({ histogram, total }: WeightPanel, tallest: number, lines: readonly string[]): object {
  const [low, high] = [histogram.edges[0]!, histogram.edges.at(-1)!]
  return {
    data: { values: barsOf(histogram).map(({ from, to, count }) => ({ from, to, share: count / total })) },
    // the stroke closes the gaps that rounding leaves between bars
    mark: { type: 'bar', binSpacing: 0, color: palette.series[0], stroke: palette.series[0], strokeWidth: 0.5 },
    encoding: {
      x: binned('weight', [low, high], [low, low / 2, 0, high / 2, high]),
      x2: { field: 'to' },
      y: {
        field: 'share',
        type: 'quantitative',
        scale: { domain: [0, tallest], nice: true },
        axis: { ...above(...lines), format: '~p', tickCount: 4 },
      },
    },
  }
}
