/** A histogram as inline SVG; colours come from the page's CSS. */
import { count } from './format'
import { niceCeiling, px, tag } from './svg'

/** One bar; zeros have a colour of their own. */
export interface ChartBar {
  readonly from: number
  readonly to: number
  readonly count: number
  readonly kind: 'zero' | 'not zero'
}

export interface BarChart {
  readonly bars: readonly ChartBar[]
  readonly low: number
  readonly high: number
  /** What the x axis is, between its ends. */
  readonly axis: string
  /** Lines above the chart. */
  readonly lines: readonly string[]
  /** Counts as log(1 + n): one bar of hundreds must not flatten bars of one. */
  readonly logarithmic?: boolean
  /** Of the viewBox; the page scales it. */
  readonly width: number
}

export function barChart({ bars, low, high, axis, lines, logarithmic = false, width }: BarChart): string {
  const [left, right, plot] = [44, 8, 110]
  const top = 10 + 17 * lines.length
  const inner = width - left - right
  const most = bars.reduce((a, bar) => Math.max(a, bar.count), 1)
  const tallest = logarithmic ? 10 ** Math.ceil(Math.log10(Math.max(most, 2))) : niceCeiling(most)
  const ticks = logarithmic ? [0, ...powersUpTo(tallest)] : [0, tallest / 2, tallest]
  const height = (n: number): number => (logarithmic ? Math.log1p(n) / Math.log1p(tallest) : n / tallest)
  const x = (value: number): number => left + ((value - low) / (high - low)) * inner
  const y = (n: number): number => px(top + plot * (1 - height(n)))
  const bottom = top + plot
  const drawn = bars.map(({ from, to, count: n, kind }) =>
    tag('rect', {
      class: kind === 'zero' ? 'bar zero' : 'bar some',
      x: px(x(from)),
      y: y(n),
      // a bin can be narrower than what the eye sees
      width: px(Math.max(1.2, x(to) - x(from))),
      height: px(bottom - y(n)),
    }),
  )
  const label = (at: number, text: string, anchor: string): string =>
    tag('text', { class: 'tick', x: px(at), y: bottom + 15, 'text-anchor': anchor }, text)
  return tag(
    'svg',
    { class: 'bars', viewBox: `0 0 ${width} ${bottom + 22}`, role: 'img', 'aria-label': lines.join('; ') },
    ...lines.map((line, i) => tag('text', { class: i === 0 ? 'title' : 'tick', x: left, y: 12 + 17 * i }, line)),
    ...ticks.map((n) => tag('line', { class: 'rule', x1: left, x2: width - right, y1: y(n), y2: y(n) })),
    // 0 and 1 are too near each other on a logarithmic scale
    ...ticks
      .slice(logarithmic ? 1 : 0)
      .map((n) => tag('text', { class: 'tick', x: left - 6, y: y(n) + 3.5, 'text-anchor': 'end' }, count(n))),
    ...drawn,
    label(left, String(low), 'start'),
    label(left + inner / 2, axis, 'middle'),
    label(width - right, String(high), 'end'),
  )
}

function powersUpTo(tallest: number): number[] {
  return Array.from({ length: 1 + Math.round(Math.log10(tallest)) }, (_, i) => 10 ** i)
}
