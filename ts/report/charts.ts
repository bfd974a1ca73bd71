/** Inline SVG: whiskers in the table, training curves, histogram of channel norms. Colours come from the page's CSS. */
import type { EpochMetrics } from '../records/metrics'
import { ZERO_NORM, zeroNorms } from '../records/norms'
import type { Cell, Column, Measured, TableRow } from '../tables/shared/table'
import { niceCeiling, path, px, tag } from './svg'

/** Ends of a scale, as fractions. */
export interface Scale {
  low: number
  high: number
}

/** One scale for all accuracies of a table, in steps of 10 %, so that an interval of a few points can be seen. */
export function accuracyScale(rows: readonly TableRow[], kinds: readonly Kind[]): Scale {
  const cells = rows.flatMap((row) => row.cells.filter((_, i) => kinds[i] === 'accuracy'))
  const values = cells.flatMap(({ measured, published }) => [
    ...(published === null ? [] : [published]),
    ...(measured === null ? [] : [spreadOf(measured).low, spreadOf(measured).high]),
  ])
  if (values.length === 0) return { low: 0, high: 1 }
  const low = Math.floor(Math.min(...values) * 10) / 10
  return { low: Math.max(0, low), high: Math.min(1, Math.max(low + 0.1, Math.ceil(Math.max(...values) * 10) / 10)) }
}

function spreadOf({ interval, std, value }: Measured): Scale {
  return interval ?? { low: value - (std ?? 0), high: value + (std ?? 0) }
}

/** A cell on a scale: interval (or one standard deviation) as a band, value as a dot, published value as a hollow diamond. */
export function whisker({ measured, published }: Cell, kind: Kind, scale: Scale): string {
  const [width, height, margin] = [104, 16, 5]
  const at = (fraction: number): number => {
    const share = (fraction - scale.low) / (scale.high - scale.low)
    return px(margin + Math.min(1, Math.max(0, share)) * (width - 2 * margin))
  }
  const middle = height / 2
  const line = (class_: string, from: number, to: number): string =>
    tag('line', { class: class_, x1: at(from), x2: at(to), y1: middle, y2: middle })
  const marks = [line('track', scale.low, scale.high)]
  if (measured !== null) {
    const spread = spreadOf(measured)
    if (kind === 'sparsity' && measured.value > 0) marks.push(line('fill', scale.low, measured.value))
    if (spread.high > spread.low) marks.push(line('spread', spread.low, spread.high))
  }
  if (published !== null) {
    const x = at(published)
    const corners = [
      `M${x} ${middle - 4.5}`,
      `${px(x + 4.5)} ${middle}`,
      `${x} ${middle + 4.5}`,
      `${px(x - 4.5)} ${middle}Z`,
    ]
    marks.push(tag('path', { class: 'diamond', d: corners.join('L') }))
  }
  if (measured !== null) marks.push(tag('circle', { class: 'dot', cx: at(measured.value), cy: middle, r: 2.75 }))
  return tag(
    'svg',
    { class: 'whisker', viewBox: `0 0 ${width} ${height}`, width, height, 'aria-hidden': 'true' },
    ...marks,
  )
}

type Kind = Column['kind']

interface Panel {
  key: 'loss' | 'trainAccuracy' | 'inputChannels'
  title: string
  fraction: boolean
}

const panels: readonly Panel[] = [
  { key: 'loss', title: 'training loss', fraction: false },
  { key: 'trainAccuracy', title: 'robust training accuracy', fraction: true },
  { key: 'inputChannels', title: 'channel sparsity', fraction: true },
]

/** Scales that all rows share, so that panels can be compared by eye. */
export interface CurveScale {
  epochs: number
  loss: number
}

export function curveScale(runs: readonly (readonly EpochMetrics[])[]): CurveScale {
  const lines = runs.flat()
  const loss = Math.max(0, ...lines.map((line) => numberOf(line, 'loss') ?? 0))
  return { epochs: Math.max(1, ...lines.map((line) => line.epoch)), loss: niceCeiling(loss) }
}

/** Three stacked panels over the epochs, one line a seed; '' when no run has any of the three numbers. */
export function curves(runs: readonly (readonly EpochMetrics[])[], scale: CurveScale): string {
  const shown = panels.filter(({ key }) => runs.some((run) => run.some((line) => numberOf(line, key) !== null)))
  if (shown.length === 0) return ''
  const [width, left, right, plot, pitch] = [264, 40, 8, 56, 88]
  const x = (epoch: number): number =>
    left + (scale.epochs === 1 ? 0.5 : (epoch - 1) / (scale.epochs - 1)) * (width - left - right)
  const drawn = shown.map(({ key, title, fraction }, i) => {
    const [top, max] = [i * pitch + 22, fraction ? 1 : scale.loss]
    const y = (value: number): number => top + plot * (1 - Math.min(value, max) / max)
    const text = (value: number): string => (fraction ? `${Math.round(100 * value)} %` : String(value))
    const last = runs.map((run) => run.flatMap((line) => numberOf(line, key) ?? []).at(-1)).find((v) => v !== undefined)
    return [
      tag('text', { class: 'title', x: left, y: top - 9 }, title),
      tag(
        'text',
        { class: 'last', x: width - right, y: top - 9, 'text-anchor': 'end' },
        last === undefined ? '' : lastText(last, fraction),
      ),
      ...[0, max / 2, max].map((value) =>
        tag('line', { class: 'rule', x1: left, x2: width - right, y1: px(y(value)), y2: px(y(value)) }),
      ),
      ...[0, max].map((value) =>
        tag('text', { class: 'tick', x: left - 6, y: px(y(value) + 3.5), 'text-anchor': 'end' }, text(value)),
      ),
      ...runs.map((run) => curve(run, key, x, y)),
    ].join('')
  })
  const bottom = (shown.length - 1) * pitch + 22 + plot
  const ticks = scale.epochs === 1 ? [1] : [1, scale.epochs]
  const axis = ticks.map((epoch) =>
    tag(
      'text',
      { class: 'tick', x: px(x(epoch)), y: bottom + 15, 'text-anchor': epoch === 1 ? 'start' : 'end' },
      epoch === 1 ? 'epoch 1' : String(epoch),
    ),
  )
  const label = `Curves over ${scale.epochs} epochs: ${shown.map(({ title }) => title).join(', ')}`
  return tag(
    'svg',
    { class: 'curves', viewBox: `0 0 ${width} ${bottom + 22}`, role: 'img', 'aria-label': label },
    ...drawn,
    ...axis,
  )
}

function curve(
  run: readonly EpochMetrics[],
  key: Panel['key'],
  x: (e: number) => number,
  y: (v: number) => number,
): string {
  const points = run.flatMap((line): [number, number][] => {
    const value = numberOf(line, key)
    return value === null ? [] : [[x(line.epoch), y(value)]]
  })
  const end = points.at(-1)
  if (end === undefined) return ''
  const dot = tag('circle', { class: `end ${key}`, cx: px(end[0]), cy: px(end[1]), r: 2.5 })
  return tag('path', { class: `curve ${key}`, d: path(points) }) + dot
}

const lastText = (value: number, fraction: boolean): string =>
  fraction ? `${(100 * value).toFixed(1)} %` : value.toPrecision(3)

/**
 * Norms of the input-channel slices: zeros are counted in words, the rest drawn in 40 bins; the dashed line is the
 * threshold of the group l0 prox, sqrt(2 lambda1 / beta).
 */
export function histogram(norms: readonly number[], threshold: number | null, max: number): string {
  const [width, left, right, top, plot, bins] = [264, 40, 8, 42, 74, 40]
  const counts = Array.from({ length: bins }, () => 0)
  for (const norm of norms) {
    const bin = Math.min(bins - 1, Math.floor((norm / max) * bins))
    if (norm >= ZERO_NORM) counts[bin] = (counts[bin] ?? 0) + 1
  }
  const [tallest, inner] = [niceCeiling(Math.max(1, ...counts)), width - left - right]
  const x = (norm: number): number => left + (Math.min(norm, max) / max) * inner
  const y = (n: number): number => top + plot * (1 - n / tallest)
  const step = inner / bins
  const bars = counts.flatMap((n, i) =>
    n === 0
      ? []
      : [
          tag('rect', {
            class: 'bar',
            x: px(left + i * step + 0.5),
            y: px(y(n)),
            width: px(step - 1),
            height: px(top + plot - y(n)),
          }),
        ],
  )
  const { zero: zeros } = zeroNorms(norms)
  const words = `${zeros} of ${norms.length} channels are zero`
  const parts = [
    tag('text', { class: 'title', x: left, y: 12 }, words),
    ...[0, tallest].map((n) => tag('line', { class: 'rule', x1: left, x2: width - right, y1: px(y(n)), y2: px(y(n)) })),
    ...[0, tallest].map((n) =>
      tag('text', { class: 'tick', x: left - 6, y: px(y(n) + 3.5), 'text-anchor': 'end' }, String(n)),
    ),
    ...bars,
    tag('text', { class: 'tick', x: left, y: top + plot + 15 }, '0'),
    tag(
      'text',
      { class: 'tick', x: left + inner / 2, y: top + plot + 15, 'text-anchor': 'middle' },
      'norm of a channel',
    ),
    tag('text', { class: 'tick', x: width - right, y: top + plot + 15, 'text-anchor': 'end' }, String(max)),
  ]
  if (threshold !== null && threshold < max) {
    const at = px(x(threshold))
    parts.push(
      tag('line', { class: 'threshold', x1: at, x2: at, y1: top - 12, y2: top + plot }),
      // Beside the line, on the side that has room.
      tag(
        'text',
        { class: 'tick', ...(at < width / 2 ? { x: at + 5 } : { x: at - 5, 'text-anchor': 'end' }), y: top - 5 },
        `√(2λ1/β) = ${threshold.toPrecision(3)}`,
      ),
    )
  }
  const label = `Histogram of channel norms; ${words}`
  return tag(
    'svg',
    { class: 'curves', viewBox: `0 0 ${width} ${top + plot + 22}`, role: 'img', 'aria-label': label },
    ...parts,
  )
}

function numberOf(line: EpochMetrics, key: Panel['key']): number | null {
  const zeros = line.inputChannels
  const value = key === 'inputChannels' ? zeros && zeros.zero / zeros.total : line[key]
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
