/** Figures 3 and 4 of paper A (arXiv 2003.00631): channel sparsity, and the four accuracies, against lambda1. */
import type { TopLevelSpec } from 'vega-lite'
import type { RunRecord } from '../../records/record'
import { networkOrder, seriesScale } from '../figure_style'
import { above, panelFigure } from '../panels'
import { lambdaPoints, type LambdaPoint, type Quantity } from './lambda_points'

const titles: Record<Quantity, string> = {
  channels: 'Channel sparsity',
  natural: 'Natural',
  fgsm: 'FGSM',
  ifgsm20: 'IFGSM20',
  cw: 'C&W (cw_paper)',
}

/** Figure 3. Null when no network has two values of lambda1. */
export const sparsityFigure = (runs: readonly RunRecord[], caption: readonly string[]): TopLevelSpec | null =>
  draw(runs, caption, {
    title: 'Channel sparsity against λ1',
    keys: ['channels'],
    width: 420,
    height: 260,
    characters: 62,
  })

/** Figure 4, one panel an attack. Null when no network has two values of lambda1. */
export const accuracyFigure = (runs: readonly RunRecord[], caption: readonly string[]): TopLevelSpec | null =>
  draw(runs, caption, {
    title: 'Accuracy against λ1',
    keys: ['natural', 'fgsm', 'ifgsm20', 'cw'],
    width: 300,
    characters: 93,
    height: 180,
  })

interface Layout {
  readonly title: string
  readonly keys: readonly Quantity[]
  readonly width: number
  readonly characters: number
  readonly height: number
}

function draw(runs: readonly RunRecord[], caption: readonly string[], layout: Layout): TopLevelSpec | null {
  const networks = networkOrder(lambdaPoints(runs, 'channels').map(({ network }) => network))
  const panels = layout.keys.flatMap((key) => {
    const points = lambdaPoints(runs, key)
    return points.length === 0 ? [] : [{ width: layout.width, height: layout.height, ...lines(key, points, networks) }]
  })
  const several = networks.some((name) => new Set(runs.filter((r) => r.network === name).map(lambdaOf)).size > 1)
  if (!several || panels.length === 0) return null
  return panelFigure({
    title: layout.title,
    caption: [...caption, spreadText(runs, layout.keys)],
    characters: layout.characters,
    columns: 2,
    spacing: { row: 90, column: 60 },
    panels,
  })
}

const lambdaOf = ({ hyper }: RunRecord): number => hyper.lambda1 ?? 0

/** What the bars are: it depends on the runs that are there. */
function spreadText(runs: readonly RunRecord[], keys: readonly Quantity[]): string {
  const seeds = keys.flatMap((key) => lambdaPoints(runs, key).map(({ perSeed }) => perSeed.length))
  const [fewest, most] = [Math.min(...seeds), Math.max(...seeds)]
  const single = keys.includes('channels') ? 'Points of one run have no spread' : 'Bars: 95 % interval of one run'
  if (most === 1) return `${single}.`
  const number = fewest === most ? String(most) : `${fewest} to ${most}`
  const over = `Means over ${number} seeds (pale: single runs), bars: one standard deviation`
  return fewest > 1 ? `${over}.` : `${over}; ${single.charAt(0).toLowerCase()}${single.slice(1)}.`
}

/** Pixels between the points of two networks at one lambda1, so that their bars do not hide each other. */
const APART = 5

function lines(key: Quantity, points: readonly LambdaPoint[], networks: readonly string[]): object {
  const lambdas = [...new Set(points.map(({ lambda }) => lambda))].sort((a, b) => a - b)
  const series = { field: 'network', type: 'nominal', title: null, legend: { symbolOpacity: 1 } }
  const shape = { ...series, scale: { domain: networks } }
  const layers = networks.flatMap((network, i) => {
    const own = points.filter((point) => point.network === network)
    const xOffset = APART * (i - (networks.length - 1) / 2)
    const data = { values: own.map(({ perSeed, ...point }) => ({ ...point, seeds: perSeed.length })) }
    const singles = own.flatMap(({ lambda, perSeed }) =>
      perSeed.length === 1 ? [] : perSeed.map((value) => ({ network, lambda, value })),
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
        title: 'λ1 (0: dense)',
        axis: { values: lambdas, grid: false, format: '~g' },
        scale: { padding: 16, nice: false },
      },
      y: {
        field: 'value',
        type: 'quantitative',
        axis: { ...above(titles[key]), format: '.0%', tickCount: 5 },
        scale: key === 'channels' ? { domainMin: 0 } : { zero: false, padding: 8 },
      },
      color: { ...series, scale: seriesScale(networks) },
    },
    layer: layers,
  }
}
