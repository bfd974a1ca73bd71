/** Figure 5 of paper A: histograms of the norms of the input channels, with a magnified view of what is nearly zero. */
import type { TopLevelSpec } from 'vega-lite'
import { evenEdges, histogramOf } from '../../records/histogram'
import { ZERO_NORM, zeroNorms } from '../../records/norms'
import { palette } from '../figure_style'
import { count } from '../format'
import { above, panelFigure } from '../panels'
import { niceCeiling } from '../svg'
import { type Bar, barsOf, binned, shareText } from './bars'

/** One network. */
export interface NormPanel {
  readonly title: string
  readonly norms: readonly number[]
}

/** Bins of the whole view: 500 from 0 to 1. */
export const WHOLE = { bins: 500, high: 1 }
/** Bins of the magnified one: 1e-8 wide up to 2e-7. */
export const ZOOM = { bins: 20, high: 2e-7 }

/** 1, or more where a tenth of the norms would lie outside. */
export function wholeRange(norms: readonly number[]): number {
  const outside = norms.filter((norm) => norm > WHOLE.high).length
  return outside > 0.1 * norms.length ? niceCeiling(norms.reduce((a, b) => Math.max(a, b), 0)) : WHOLE.high
}

/** Bars between 0 and `high`; zeros have a bar of their own colour at the place of the first bin. */
export function normBars(norms: readonly number[], view: { bins: number; high: number }): Bar[] {
  const edges = evenEdges(0, view.high, view.bins)
  const { zero } = zeroNorms(norms)
  const others = histogramOf(
    norms.filter((norm) => norm >= ZERO_NORM),
    edges,
  )
  const first: Bar = { from: 0, to: edges[1]!, count: zero, kind: 'zero' }
  return [...barsOf(others), ...(zero === 0 ? [] : [first])]
}

/** The tallest bar of both views. */
const tallest = (norms: readonly number[], high: number): number =>
  [...normBars(norms, { ...WHOLE, high }), ...normBars(norms, ZOOM)].reduce((most, bar) => Math.max(most, bar.count), 0)

/** One row a network: the whole view and the magnified one. */
export function normFigure(panels: readonly NormPanel[], caption: readonly string[]): TopLevelSpec {
  const high = Math.max(...panels.map(({ norms }) => wholeRange(norms)))
  const most = Math.max(...panels.map(({ norms }) => tallest(norms, high)))
  const width = (high / WHOLE.bins).toPrecision(2)
  return panelFigure({
    title: 'Norms of the input channels',
    caption: [
      ...caption,
      `Bins of ${Number(width)} on the left and of 1e-8 on the right; counts on a log(1 + n) scale.`,
    ],
    characters: 110,
    columns: 2,
    spacing: { row: 112, column: 60 },
    panels: panels.flatMap(({ title, norms }) => {
      const { zero, total } = zeroNorms(norms)
      const beyond = norms.filter((norm) => norm > high).length
      const left = [
        title,
        `${count(zero)} of ${count(total)} channels are zero (${shareText(zero, total)})` +
          (beyond === 0 ? '' : `; ${beyond} norm${beyond === 1 ? '' : 's'} above ${high} not shown`),
      ]
      const near = norms.filter((norm) => norm >= ZERO_NORM && norm <= ZOOM.high).length
      const right = ['magnified', `${count(near)} nonzero up to 2e-7`]
      const ticks = [0, high / 4, high / 2, (3 * high) / 4, high]
      const name = 'ℓ2 norm of a channel'
      return [
        panel(500, normBars(norms, { ...WHOLE, high }), left, { end: high, x: binned(name, [0, high], ticks) }, most),
        panel(
          200,
          normBars(norms, ZOOM),
          right,
          { end: ZOOM.high, x: binned(name, [0, ZOOM.high], [0, 1e-7, 2e-7], '~e') },
          most,
        ),
      ]
    }),
  })
}

/** Powers of ten up to the first that is at least `most`. */
const decades = (most: number): number[] => [
  0,
  ...Array.from({ length: 1 + Math.ceil(Math.log10(Math.max(most, 2))) }, (_, i) => 10 ** i),
]

function panel(
  width: number,
  bars: readonly Bar[],
  lines: readonly string[],
  { end, x }: { end: number; x: object },
  most: number,
): object {
  const values = decades(most)
  const [zeros] = bars.filter(({ kind }) => kind === 'zero')
  // above what it could hide
  const near = bars.filter(({ from }) => from < 0.2 * end).reduce((top, bar) => Math.max(top, bar.count), 0)
  const y = {
    field: 'count',
    type: 'quantitative',
    stack: null,
    scale: { type: 'symlog', domain: [0, values.at(-1)], nice: false },
    axis: { ...above(...lines), values },
  }
  const color = {
    field: 'kind',
    type: 'nominal',
    title: null,
    scale: { domain: ['not zero', 'zero'], range: [palette.series[0], palette.series[1]] },
  }
  return {
    width,
    height: 130,
    layer: [
      {
        data: { values: bars },
        // bins can be narrower than a pixel
        mark: { type: 'bar', binSpacing: 0, strokeWidth: 1 },
        encoding: { x, x2: { field: 'to' }, y, color, stroke: color },
      },
      {
        data: { values: zeros ? [{ to: zeros.to, count: near, text: `${count(zeros.count)} zero` }] : [] },
        mark: {
          type: 'text',
          align: 'left',
          baseline: 'bottom',
          dx: 3,
          dy: -2,
          color: palette.series[1],
          fontWeight: 600,
        },
        encoding: { x: { field: 'to', type: 'quantitative' }, y, text: { field: 'text' } },
      },
    ],
  }
}
