/** Figure 2 of paper A: the weights of one convolution as a picture, and their histogram, of two networks side by side. */
import type { TopLevelSpec } from 'vega-lite'
import { panelFigure, above } from '../panels'
import { type SignedImage, signedPng } from '../png'
import { type WeightPanel, weightBars } from './weights'
import { shareText } from './bars'

/** The same layer of one of the networks; its counts are those of the layer alone. */
export interface LayerPanel extends Omit<WeightPanel, 'published'> {
  /** Of the weight: out, in, height, width. */
  readonly shape: readonly number[]
  readonly zeroChannels: number
  readonly image: SignedImage
}

const SIDE = 300

/** (a), (b): pictures; (c), (d): histograms. All pictures have one scale, `limit`. */
export function layerFigure(
  panels: readonly LayerPanel[],
  { title, caption, limit }: { title: string; caption: readonly string[]; limit: number },
): TopLevelSpec {
  const tallest = Math.max(...panels.flatMap(({ histogram, total }) => histogram.counts.map((n) => n / total)))
  const letter = (i: number): string => `(${String.fromCharCode(97 + i)})`
  const pictures = panels.map((panel, i) => picture(panel, `${letter(i)} ${panel.title}`))
  const histograms = panels.map((panel, i) => ({
    width: SIDE,
    height: 120,
    ...weightBars({ ...panel, published: null }, tallest, [
      `${letter(panels.length + i)} ${panel.zero === 0 ? 'no weight is' : `${shareText(panel.zero, panel.total)} are`} exactly zero${panel.zero === 0 ? '' : ' and not among the bars'}`,
    ]),
  }))
  const rows = 'Rows are output filters, columns input channels, a kernel is a square.'
  const scale = `Blue is negative, orange positive, full colour from ${limit.toPrecision(2)} on, the page itself 0: an empty column is a zero input channel.`
  return panelFigure({
    title,
    caption: [...caption, rows, scale],
    columns: panels.length,
    spacing: { row: 96, column: 70 },
    panels: [...pictures, ...histograms],
  })
}

function picture({ image, shape, zeroChannels }: LayerPanel, title: string): object {
  const [out, channels] = shape as [number, number]
  // a kernel of equal sides stays a square
  const [width, height] = [SIDE * Math.min(1, channels / out), SIDE * Math.min(1, out / channels)]
  const ends = (size: number): number[] => [0, size / 2, size]
  return {
    width,
    height,
    data: { values: [{ url: signedPng(image, Math.max(1, Math.round((2 * width) / image.width))) }] },
    view: { stroke: '#5f5c55', strokeWidth: 0.5 },
    mark: { type: 'image', width, height, aspect: false },
    encoding: {
      url: { field: 'url', type: 'nominal' },
      x: {
        datum: channels / 2,
        type: 'quantitative',
        scale: { domain: [0, channels], nice: false },
        axis: { values: ends(channels), grid: false, title: 'input channel' },
      },
      y: {
        datum: out / 2,
        type: 'quantitative',
        scale: { domain: [0, out], nice: false, reverse: true },
        axis: {
          ...above(title, `${shape.join(' × ')} weights, ${zeroChannels} of ${channels} input channels zero`),
          values: ends(out),
          grid: false,
        },
      },
    },
  }
}
