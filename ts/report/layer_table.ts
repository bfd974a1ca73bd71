/** The convolutions of a network as rows: which have zero input channels, and which are dead altogether. */
import { zeroNorms } from '../records/norms'
import type { Zeros } from '../records/record'
import { shareText } from './paper_a/bars'
import { escape, px, tag } from './svg'

/** One convolution; what a list of norms does not tell is null. */
export interface ReportLayer {
  readonly name: string
  readonly shape: readonly number[] | null
  readonly downsample: boolean
  /** One a input channel. */
  readonly norms: readonly number[]
  readonly weights: Zeros | null
}

export function layerTable(layers: readonly ReportLayer[]): string {
  const head: [string, string][] = [
    ['Convolution', ''],
    ['out × in × kernel', 'optional'],
    ['Zero input channels', 'number'],
    ['', 'optional'],
    ...(layers.some(({ weights }) => weights !== null) ? [['Zero weights', 'number'] as [string, string]] : []),
    ['Least, median, greatest norm', 'number optional'],
  ]
  const cells = head.map(([title, class_]) => tag('th', class_ === '' ? {} : { class: class_ }, escape(title)))
  const rows = layers.map(row)
  return tag('table', { class: 'layers' }, tag('thead', {}, tag('tr', {}, ...cells)), tag('tbody', {}, rows.join('\n')))
}

function row({ name, shape, norms, weights, downsample }: ReportLayer): string {
  const { zero, total } = zeroNorms(norms)
  const dead = weights === null ? zero === total : weights.zero === weights.total
  const remark = [
    downsample && !/downsample/.test(name) ? tag('span', { class: 'skip' }, ' skip path') : '',
    dead ? tag('span', { class: 'dead' }, ' dead') : '',
  ].join('')
  const size = shape === null ? '' : `${shape[0]} × ${shape[1]} × ${shape.slice(2).join(' × ')}`
  return tag(
    'tr',
    {},
    tag('td', { class: 'name' }, escape(name.replace(/\.weight$/, '')), remark),
    tag('td', { class: 'optional' }, size),
    tag('td', { class: 'number' }, escape(`${zero} of ${total}`)),
    tag('td', { class: 'optional' }, meter(zero / total)),
    weights === null ? '' : tag('td', { class: 'number' }, escape(shareText(weights.zero, weights.total))),
    tag('td', { class: 'number optional' }, spread(norms)),
  )
}

function meter(share: number): string {
  const [width, height] = [90, 8]
  return tag(
    'svg',
    { class: 'meter', viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' },
    tag('rect', { class: 'track', width, height, rx: 2 }),
    share === 0 ? '' : tag('rect', { class: 'part', width: px(share * width), height, rx: 2 }),
  )
}

function spread(norms: readonly number[]): string {
  const sorted = [...norms].sort((a, b) => a - b)
  const shown = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)]
  return shown.map((norm) => numberText(norm ?? 0)).join(', ')
}

const numberText = (norm: number): string => (norm === 0 ? '0' : norm < 1e-3 ? norm.toExponential(1) : norm.toFixed(3))
