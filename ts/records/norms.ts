/** Norms of input channels w[:, i, :, :] that were computed before: what counts as zero, and the lists that the authors print. */
import { RecordError } from './check'
import type { Zeros } from './record'

/** A channel counts as zero when its l2 norm is below this (paper A, arXiv 2003.00631, definition of channel sparsity). */
export const ZERO_NORM = 1e-15

/** One convolution of a list. */
export interface NormLayer {
  readonly name: string
  /** Of the weight: out, in, height, width; null where the list does not tell. */
  readonly shape: readonly number[] | null
  /** One l2 norm an input channel. */
  readonly norms: readonly number[]
}

/** How many of the norms are those of a zero channel. */
export function zeroNorms(norms: readonly number[]): Zeros {
  return { zero: norms.filter((norm) => norm < ZERO_NORM).length, total: norms.length }
}

/**
 * Weights in zero channels out of all weights of the convolutions ("weight sparsity" of the authors' script); null
 * without shapes.
 */
export function weightsInZeroChannels(layers: readonly NormLayer[]): Zeros | null {
  let [zero, total] = [0, 0]
  for (const { shape, norms } of layers) {
    if (shape === null) return null
    const [out, , height, width] = shape as [number, number, number, number]
    zero += zeroNorms(norms).zero * out * height * width
    total += norms.length * out * height * width
  }
  return { zero, total }
}

/**
 * The text files that the published scripts print with numpy: for each convolution its name, `sz:[out, in, h, w]` and
 * `[norm norm …]` over any number of lines; lines such as `accuracy: 0` are skipped.
 * @throws RecordError for a number that is none, a list that numpy has shortened, or one that does not fit its shape
 */
export function parseNormList(text: string, where = 'list'): NormLayer[] {
  const layers: NormLayer[] = []
  let name: string | null = null
  let shape: number[] | null = null
  // a list in brackets over several lines, or any other line
  for (const match of text.matchAll(/^[ \t]*(?:\[([^\]]*)(\])?|(\S.*?))[ \t\r]*$/gm)) {
    const [, numbers, closed, line] = match
    const at = `${where}:${text.slice(0, match.index).split('\n').length}`
    if (line !== undefined) {
      const size = /^(?:sz|size|shape)\s*[:=]\D*\[([^\]]*)\]/i.exec(line)
      if (size !== null) shape = checkShape(size[1]!, at)
      else if (/^[\w ]+:\s*\S*$/.test(line)) continue
      else if (/^[A-Za-z][\w./-]*$/.test(line)) [name, shape] = [line, null]
      else throw new RecordError(`Expected \`${at}\` to be a name, a size or a list of norms, got \`${line}\``)
      continue
    }
    if (closed === undefined)
      throw new RecordError(`Expected the list that begins at \`${at}\` to end with \`]\`, got none`)
    layers.push({ name: name ?? `layer ${layers.length + 1}`, shape, norms: checkNorms(numbers!, shape, at) })
    ;[name, shape] = [null, null]
  }
  if (layers.length === 0) throw new RecordError(`Expected \`${where}\` to hold lists of channel norms, got none`)
  return layers
}

function checkShape(text: string, at: string): number[] {
  const sizes = text.split(',').map(Number)
  if (sizes.length === 4 && sizes.every((size) => Number.isSafeInteger(size) && size > 0)) return sizes
  throw new RecordError(
    `Expected \`${at}\` to be the size [out, in, height, width] of a convolution, got \`[${text}]\``,
  )
}

function checkNorms(text: string, shape: readonly number[] | null, at: string): number[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '')
  const norms = words.map((word) => {
    const norm = Number(word)
    if (Number.isFinite(norm) && norm >= 0) return norm
    const wanted = /^\.\.\.$/.test(word)
      ? 'all norms (numpy has shortened it: np.set_printoptions(threshold=np.inf))'
      : 'finite norms of at least 0'
    throw new RecordError(`Expected the list that begins at \`${at}\` to hold ${wanted}, got \`${word}\``)
  })
  if (shape === null || norms.length === shape[1]) return norms
  throw new RecordError(
    `Expected the list that begins at \`${at}\` to hold ${shape[1]} norms, one an input channel of [${shape.join(', ')}], got ${norms.length}`,
  )
}
