/**
 * One network as one self-contained page: what it is, how sparse by every denominator, the norms of its channels, its
 * weights, layer by layer. Also for a list of norms alone, which has neither weights nor a picture.
 */
import type { Histogram } from '../records/histogram'
import { ZERO_NORM, zeroNorms } from '../records/norms'
import type { Zeros } from '../records/record'
import type { Fact } from '../tables/shared/table'
import { barChart } from './bar_chart'
import { checkpointStyle } from './checkpoint_style'
import { count } from './format'
import { layerTable, type ReportLayer } from './layer_table'
import { htmlPage, section } from './page'
import { barsOf, shareText } from './paper_a/bars'
import { normBars, wholeRange, WHOLE, ZOOM } from './paper_a/norms'
import { type SignedImage, signedPng } from './png'
import { escape, tag } from './svg'

export type { ReportLayer } from './layer_table'

/** Counts of weights of a network or of one layer. */
export interface ReportWeights {
  readonly total: number
  readonly zero: number
  readonly small: number
  /** Of the weights that are not zero. */
  readonly histogram: Histogram
}

/** What the page shows. */
export interface CheckpointReport {
  readonly title: string
  /** The file, or the factory. */
  readonly source: string
  readonly facts: readonly Fact[]
  readonly sparsity: readonly { readonly label: string; readonly zeros: Zeros; readonly note: string }[]
  readonly layers: readonly ReportLayer[]
  /** Of all convolutions. */
  readonly weights: ReportWeights | null
  readonly picture: {
    readonly layer: string
    readonly shape: readonly number[]
    /** Full colour from this magnitude on. */
    readonly limit: number
    readonly image: SignedImage
    readonly weights: ReportWeights
  } | null
  /** The command line that makes the page again. */
  readonly command: string
}

/** The page; all texts are escaped. */
export function toCheckpointHtml(report: CheckpointReport): string {
  return htmlPage(
    report.title,
    [header(report), facts(report), sparsity(report), norms(report), weights(report), layers(report), again(report)],
    checkpointStyle,
  )
}

function header({ title, source }: CheckpointReport): string {
  return tag(
    'header',
    {},
    tag('p', { class: 'eyebrow' }, 'feynkac · inspect'),
    tag('h1', {}, escape(title)),
    tag('p', { class: 'source' }, escape(source)),
  )
}

function facts({ facts }: CheckpointReport): string {
  const pairs = facts.map(({ label, value }) =>
    tag('div', {}, tag('dt', {}, escape(label)), tag('dd', {}, escape(value))),
  )
  return section('What it is', tag('dl', { class: 'conditions' }, ...pairs))
}

function sparsity({ sparsity }: CheckpointReport): string {
  const rows = sparsity.map(({ label, zeros: { zero, total }, note }) =>
    tag(
      'tr',
      {},
      tag('th', { scope: 'row' }, escape(label)),
      tag('td', { class: 'number' }, escape(`${count(zero)} of ${count(total)}`)),
      tag('td', { class: 'number' }, escape(shareText(zero, total))),
      tag('td', { class: 'note' }, escape(note)),
    ),
  )
  return section(
    'Sparsity',
    tag('div', { class: 'scroll' }, tag('table', { class: 'counts' }, tag('tbody', {}, ...rows))),
  )
}

function norms({ layers }: CheckpointReport): string {
  const all = layers.flatMap(({ norms }) => norms).filter(Number.isFinite)
  const high = wholeRange(all)
  const { zero, total } = zeroNorms(all)
  const beyond = all.filter((norm) => norm > high).length
  const near = all.filter((norm) => norm >= ZERO_NORM && norm <= ZOOM.high).length
  const whole = barChart({
    bars: normBars(all, { ...WHOLE, high }),
    ...{ low: 0, high, axis: 'ℓ2 norm of an input channel', logarithmic: true, width: 700 },
    lines: [
      `${count(zero)} of ${count(total)} channels are zero`,
      `${count(total - zero - beyond)} in ${WHOLE.bins} bins` + (beyond === 0 ? '' : `, ${beyond} above ${high}`),
    ],
  })
  const zoom = barChart({
    bars: normBars(all, ZOOM),
    ...{ low: 0, high: ZOOM.high, axis: 'norm', logarithmic: true, width: 330 },
    lines: ['Magnified', `${count(near)} nonzero norms up to 2e-7, bins of 1e-8`],
  })
  return section(
    'Channel norms',
    tag(
      'p',
      { class: 'caption' },
      'Of the slices w[:, i, :, :] of all convolutions; a norm below 1e-15 is a zero (purple). Counts on a log(1 + n) scale.',
    ),
    tag('div', { class: 'wide' }, tag('figure', { class: 'whole' }, whole), tag('figure', {}, zoom)),
  )
}

function weights({ weights, picture }: CheckpointReport): string {
  if (weights === null) return ''
  const all = tag('figure', {}, weightChart('All convolutions', weights))
  if (picture === null) return section('Weights', tag('div', { class: 'wide' }, all))
  const { layer, shape, limit, image, weights: own } = picture
  const name = tag('figcaption', {}, tag('strong', {}, escape(layer)), ` ${shape.join(' × ')}`)
  const drawn = tag('img', {
    class: 'weights',
    src: signedPng(image, 1),
    width: image.width,
    height: image.height,
    alt: `Weights of ${layer}: a row an output filter, a column an input channel`,
  }).replace('></img>', '>')
  const words = `Rows are output filters, columns input channels. Blue is negative, orange positive, full colour from ${limit.toPrecision(2)} on; an empty column is a zero input channel.`
  const column = tag('figure', {}, name, drawn, tag('p', { class: 'test' }, escape(words)))
  const second = tag('figure', {}, weightChart(layer, own))
  return section('Weights', tag('div', { class: 'wide' }, column, tag('div', { class: 'stack' }, all, second)))
}

function weightChart(title: string, { total, zero, small, histogram }: ReportWeights): string {
  const outside = histogram.below + histogram.above
  return barChart({
    bars: barsOf(histogram),
    ...{ low: histogram.edges[0]!, high: histogram.edges.at(-1)!, axis: 'weight', width: 400 },
    lines: [
      `${title}: ${shareText(small, total)} have |w| < 0.001`,
      `${zero === 0 ? 'none is' : `${shareText(zero, total)} are`} exactly zero${zero === 0 ? '' : ' (no bar)'}, ${shareText(outside, total)} outside`,
    ].map(escape),
  })
}

function layers({ layers }: CheckpointReport): string {
  return section('Layers', tag('div', { class: 'scroll' }, layerTable(layers)))
}

const again = ({ command }: CheckpointReport): string =>
  section('Again', tag('pre', {}, tag('code', {}, escape(command))))
