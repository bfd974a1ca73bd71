/**
 * Vega-Lite specifications to SVG and PNG. The libraries take a quarter of a second to load, so they are loaded here, on
 * first use, and other commands do not pay for them.
 */
import type * as Vega from 'vega'
import type { TopLevelSpec } from 'vega-lite'
import { config, darkStyle } from './figure_style'

/**
 * Mean width of a character of the widest fonts in the list, in font sizes. Vega reserves 0.8 where it cannot measure,
 * which leaves a third of a figure with a caption empty.
 */
const CHARACTER = 0.6

interface TextItem {
  readonly fontSize?: number
}
/** Vega asks this object for the width of a text (vega-scenegraph, util/text.js); its type declarations do not know it. */
interface TextMetrics {
  width(item: TextItem, text: string | number | null | undefined): number
}

async function loadVega(): Promise<typeof Vega> {
  const vega = await import('vega')
  const { textMetrics } = vega as unknown as { textMetrics: TextMetrics }
  textMetrics.width = ({ fontSize = 11 }, text) => CHARACTER * fontSize * String(text ?? '').length
  return vega
}

/** SVG with a dark variant for readers who prefer one; `scheme: 'light'` leaves it out. */
export async function toSvg(spec: TopLevelSpec, scheme: 'both' | 'light' = 'both'): Promise<string> {
  const [{ compile }, vega] = await Promise.all([import('vega-lite'), loadVega()])
  const view = new vega.View(vega.parse(compile(spec, { config }).spec), { renderer: 'none', logLevel: vega.Error })
  try {
    const svg = await view.toSVG()
    return scheme === 'light' ? svg : svg.replace(/^<svg[^>]*>/, (open) => open + darkStyle())
  } finally {
    view.finalize()
  }
}

/** PNG at twice the size, always light, set in the fonts of this machine. */
export async function toPng(spec: TopLevelSpec): Promise<Buffer> {
  const { Resvg } = await import('@resvg/resvg-js')
  const text = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="9">a</text></svg>'
  if (new Resvg(text).getBBox() === undefined) {
    throw new Error('Expected at least one font on this machine for PNG, found none; SVG needs none')
  }
  const svg = await toSvg(spec, 'light')
  return new Resvg(svg, { fitTo: { mode: 'zoom', value: 2 } }).render().asPng()
}
