/** Figures 3 and 4 of paper A (arXiv 2003.00631): channel sparsity, and the four accuracies, against lambda1. */
import type { TopLevelSpec } from 'vega-lite'
import type { RunRecord } from '../../records/record'
import { lambdaPanel } from '../lambda_panel'
import { panelFigure } from '../panels'
import { lambdaPoints, type Quantity } from './lambda_points'

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
  const networks = [...new Set(lambdaPoints(runs, 'channels').map(({ network }) => network))]
  const panels = layout.keys.flatMap((key) => {
    const points = lambdaPoints(runs, key)
    if (points.length === 0) return []
    const scale = key === 'channels' ? { domainMin: 0 } : { zero: false, padding: 8 }
    const panel = lambdaPanel({ points, networks, symbol: 'λ1', title: titles[key], scale })
    return [{ width: layout.width, height: layout.height, ...panel }]
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
