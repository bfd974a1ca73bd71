/** The convolution that a picture shows: by name, or by seed among the largest ones that all networks share. */
import type { ModelDescription } from '../tensor/model'
import { randomStream } from '../training/random'

/** Option `--layer` and `--layer-seed`. */
export interface LayerOptions {
  readonly layer?: string
  readonly layerSeed: number
}

export interface ChosenLayer {
  /** Without the member, `layer3.1.conv2`. */
  readonly title: string
  readonly shape: readonly number[]
  /** Its full name in each network, that of the first member. */
  readonly names: readonly string[]
}

/** Convolutions of the first member by their short name. */
function layersOf({ parameters }: ModelDescription): Map<string, { name: string; shape: readonly number[] }> {
  const first = parameters.filter(({ name, shape }) => shape.length === 4 && !/^ensemble\.[1-9]/.test(name))
  return new Map(first.map(({ name, shape }) => [short(name), { name, shape }]))
}

const short = (name: string): string => name.replace(/^ensemble\.\d+\./, '').replace(/\.weight$/, '')

/** Throws a sentence that lists the names when `--layer` is none of them, or the networks share none. */
export function chooseLayer(models: readonly ModelDescription[], { layer, layerSeed }: LayerOptions): ChosenLayer {
  const all = models.map(layersOf)
  const shared = [...all[0]!].filter(([title, { shape }]) =>
    all.every((layers) => layers.get(title)?.shape.join() === shape.join()),
  )
  const names = models.map(({ architecture }) => architecture).join(' and ')
  if (shared.length === 0) throw new Error(`Expected convolutions of the same name and shape in ${names}, found none`)
  const size = ({ shape }: { shape: readonly number[] }): number => shape.reduce((a, b) => a * b, 1)
  const largest = Math.max(...shared.map(([, each]) => size(each)))
  const candidates = shared.filter(([, each]) => size(each) === largest)
  const chosen =
    layer === undefined
      ? candidates[randomStream(layerSeed, 0)() % candidates.length]
      : shared.find(([title]) => title === short(layer))
  if (chosen === undefined) {
    const known = shared.map(([title]) => title).join(', ')
    throw new Error(`Expected \`--layer\` to be one of ${known} in ${names}, got \`${layer}\``)
  }
  const [title, { shape }] = chosen
  return { title, shape, names: all.map((layers) => layers.get(title)!.name) }
}
