/** Figures of a table as Vega-Lite specifications, pure data: channel norms, sparsity and accuracy against lambda, training. */
import type { TopLevelSpec } from 'vega-lite'
import type { EpochMetrics } from '../records/metrics'
import { ZERO_NORM, zeroNorms } from '../records/norms'
import { methodText, type ColumnKey, type TableData, type TableRow } from '../tables/shared/table'
import { palette, seriesScale } from './figure_style'
import { type LambdaPoint, lambdaPanel } from './lambda_panel'
import { above, panelFigure } from './panels'
import { niceCeiling } from './svg'

/** One figure: the stem of its file's name, and a Vega-Lite specification with the data inside. */
export interface Figure {
  readonly name: 'channel-norms' | 'lambda' | 'training'
  readonly spec: TopLevelSpec
}

/** What figures need besides the table. */
export interface FigureOptions {
  /** Epoch metrics by run hash. */
  readonly metrics?: Record<string, EpochMetrics[]>
  /** l2 norms of all input-channel slices by run hash. */
  readonly channelNorms?: Record<string, number[]>
}

/** The figures that have something to show. */
export function figuresOf(data: TableData, { metrics = {}, channelNorms = {} }: FigureOptions = {}): Figure[] {
  const found: [Figure['name'], TopLevelSpec | null][] = [
    ['channel-norms', norms(data, channelNorms)],
    ['lambda', againstLambda(data)],
    ['training', training(data, metrics)],
  ]
  return found.flatMap(([name, spec]) => (spec === null ? [] : [{ name, spec }]))
}

const nameOf = (row: TableRow): string => `${row.network} ${methodText(row)}`

/** Panels under the data and preset of a table. */
function figure(data: TableData, title: string, columns: number, panels: object[]): TopLevelSpec {
  const names = new Set(data.rows.flatMap(({ records }) => records.map((record) => record.data.title)))
  return panelFigure({ title, caption: [`${[...names].join(', ')}, preset ${data.preset}`], columns, panels })
}

/** One small histogram a row; zeros have a colour of their own, since they are what pruning is about. */
function norms(data: TableData, channelNorms: Record<string, number[]>): TopLevelSpec | null {
  const rows = data.rows
    .map((row) => ({
      title: nameOf(row),
      values: row.records.flatMap(({ hash }) => (channelNorms[hash] ?? []).filter(Number.isFinite)),
    }))
    .filter(({ values }) => values.length > 0)
  if (rows.length === 0) return null
  const max = niceCeiling(rows.flatMap(({ values }) => values).reduce((a, b) => Math.max(a, b), 0))
  const step = max / 40
  const panels = rows.map(({ title, values }) => {
    const { zero: zeros } = zeroNorms(values)
    return {
      width: 260,
      height: 110,
      data: { values: values.map((norm) => ({ norm, kind: norm < ZERO_NORM ? 'zero' : 'not zero' })) },
      mark: { type: 'bar', binSpacing: 1 },
      encoding: {
        x: {
          field: 'norm',
          type: 'quantitative',
          bin: { step, extent: [0, max] },
          scale: { domain: [0, max] },
          title: 'ℓ2 norm of a channel',
          axis: { values: [0, max / 2, max], grid: false, format: '~r' },
        },
        y: {
          aggregate: 'count',
          type: 'quantitative',
          axis: { ...above(title, `${zeros} of ${values.length} channels are zero`), tickCount: 4, tickMinStep: 1 },
        },
        color: {
          field: 'kind',
          type: 'nominal',
          title: null,
          scale: { domain: ['not zero', 'zero'], range: [palette.series[0], palette.series[1]] },
        },
      },
    }
  })
  return figure(data, 'Norms of the input channels', 2, panels)
}

const shown: readonly ColumnKey[] = ['inputChannelSparsity', 'natural', 'ifgsm20']

/** Measured points with their 95 % interval, or one standard deviation over seeds; dense rows stand at 0. */
function againstLambda(data: TableData): TopLevelSpec | null {
  const symbol = data.rows.some(({ hyper }) => hyper.lambda1 !== null) ? 'λ1' : 'λ'
  const networks = data.rows.map(({ network }) => network)
  const lambdaOf = ({ hyper }: TableRow): number => hyper.lambda1 ?? hyper.lambda ?? 0
  const pointsOf = (key: ColumnKey): LambdaPoint[] =>
    data.rows.flatMap((row) =>
      row.cells.flatMap(({ column, measured }) => {
        if (measured === null || column !== key) return []
        const { value, std } = measured
        const bar = measured.interval ?? { low: value - (std ?? 0), high: value + (std ?? 0) }
        return [{ network: row.network, lambda: lambdaOf(row), value, low: bar.low, high: bar.high, perSeed: [] }]
      }),
    )
  const drawn = shown.map((key) => ({ key, points: pointsOf(key) }))
  if (new Set(drawn.flatMap(({ points }) => points.map(({ lambda }) => lambda))).size < 2) return null
  const panels = drawn.map(({ key, points }) => {
    const title = data.columns.find((column) => column.key === key)?.title ?? key
    const scale = key === 'inputChannelSparsity' ? { domainMin: 0 } : { zero: false, padding: 8 }
    return { width: 190, height: 170, ...lambdaPanel({ points, networks, symbol, title, scale }) }
  })
  return figure(data, `Sparsity and accuracy against ${symbol}`, 3, panels)
}

const curves: readonly [title: string, read: (line: EpochMetrics) => number | undefined, format: string][] = [
  ['Training loss', ({ loss }) => loss, '~r'],
  ['Robust training accuracy', ({ trainAccuracy }) => trainAccuracy, '.0%'],
  ['Channel sparsity', ({ inputChannels: zeros }) => zeros && zeros.zero / zeros.total, '.0%'],
]

/** Loss, robust training accuracy and channel sparsity over the epochs, one line a seed. */
function training(data: TableData, metrics: Record<string, EpochMetrics[]>): TopLevelSpec | null {
  const rows = data.rows.filter(({ records }) => records.some(({ hash }) => (metrics[hash] ?? []).length > 0))
  const names = rows.map(nameOf)
  const panels = curves.flatMap(([title, read, format]) => {
    const values = rows.flatMap((row) =>
      row.records.flatMap(({ hash, seed }) =>
        (metrics[hash] ?? []).flatMap((line) => {
          const value = read(line)
          if (typeof value !== 'number' || !Number.isFinite(value)) return []
          return [{ row: nameOf(row), seed, epoch: line.epoch, value }]
        }),
      ),
    )
    if (values.length === 0) return []
    return {
      width: 190,
      height: 150,
      data: { values },
      // one epoch is no line, so every epoch is also a point
      mark: { type: 'line', strokeWidth: 1.5, point: { size: 9, opacity: 1 } },
      encoding: {
        x: {
          field: 'epoch',
          type: 'quantitative',
          title: 'epoch',
          axis: { tickMinStep: 1, grid: false, tickCount: 5, format: 'd' },
          scale: { zero: false, nice: false, padding: 6 },
        },
        y: { field: 'value', type: 'quantitative', axis: { ...above(title), format, tickCount: 5 } },
        detail: { field: 'seed', type: 'nominal' },
        color: {
          field: 'row',
          type: 'nominal',
          title: null,
          scale: seriesScale(names),
        },
      },
    }
  })
  return panels.length === 0 ? null : figure(data, 'Training', 3, panels)
}
