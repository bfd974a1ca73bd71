/** A panel of something against lambda: a line, intervals and points for each network. */
import { networkOrder, seriesScale } from './figure_style'
import { above } from './panels'

/** Mean and spread of one network at one lambda; dense networks stand at 0. Fractions. */
export interface LambdaPoint {
  readonly network: string
  readonly lambda: number
  readonly value: number
  /** The ends of its bar. */
  readonly low: number
  readonly high: number
  /** The values of single runs, pale beside the mean where there are several; empty when they are not known. */
  readonly perSeed: readonly number[]
}

/** What a panel shows and how its axes are named. */
export interface LambdaPanel {
  readonly points: readonly LambdaPoint[]
  /** All networks of the figure, so that its panels share their colours. */
  readonly networks: readonly string[]
  /** `λ` or `λ1`. */
  readonly symbol: string
  readonly title: string
  readonly scale: object
}

/** Pixels between the points of two networks at one lambda, so that their bars do not hide each other. */
const APART = 5

/** The encoding and layers of the panel. */
export function lambdaPanel({ points, networks, symbol, title, scale }: LambdaPanel): object {
  const lambdas = [...new Set(points.map(({ lambda }) => lambda))].sort((a, b) => a - b)
  const series = { field: 'network', type: 'nominal', title: null, legend: { symbolOpacity: 1 } }
  const order = networkOrder(networks)
  const shape = { ...series, scale: { domain: order } }
  const layers = order.flatMap((network, i) => {
    const own = points.filter((point) => point.network === network)
    const xOffset = APART * (i - (order.length - 1) / 2)
    const data = { values: own.map(({ perSeed, ...point }) => ({ ...point, seeds: perSeed.length })) }
    const singles = own.flatMap(({ lambda, perSeed }) =>
      perSeed.length < 2 ? [] : perSeed.map((value) => ({ network, lambda, value })),
    )
    const pale = { type: 'point', filled: true, size: 22, opacity: 0.4, xOffset }
    return [
      ...(singles.length === 0 ? [] : [{ data: { values: singles }, mark: pale, encoding: { shape } }]),
      { data, mark: { type: 'line', strokeWidth: 1.5, xOffset } },
      {
        data,
        mark: { type: 'rule', strokeWidth: 1.5, xOffset },
        encoding: { y: { field: 'low' }, y2: { field: 'high' } },
      },
      { data, mark: { type: 'point', filled: true, size: 50, opacity: 1, xOffset }, encoding: { shape } },
    ]
  })
  return {
    encoding: {
      x: {
        field: 'lambda',
        type: 'quantitative',
        title: `${symbol} (0: dense)`,
        axis: { values: lambdas, grid: false, format: '~g' },
        scale: { padding: 16, nice: false },
      },
      y: { field: 'value', type: 'quantitative', axis: { ...above(title), format: '.0%', tickCount: 5 }, scale },
      color: { ...series, scale: seriesScale(order) },
    },
    layer: layers,
  }
}
