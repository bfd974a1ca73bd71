/** Figures 1 to 5 of paper A (arXiv 2003.00631) from the user's runs, checkpoints and lists of norms. */
import { basename } from 'node:path'
import type { TopLevelSpec } from 'vega-lite'
import { layerImage, magnitudeQuantile, weightCounts, type WeightCounts } from '../../evaluation/weights'
import { sparsity } from '../../evaluation/sparsity'
import { evenEdges } from '../../records/histogram'
import { zeroNorms } from '../../records/norms'
import { type LayerPanel, layerFigure } from '../../report/paper_a/layer'
import { accuracyFigure, sparsityFigure } from '../../report/paper_a/lambda'
import { lambdaPoints, lambdaRuns, type Quantity } from '../../report/paper_a/lambda_points'
import { normFigure } from '../../report/paper_a/norms'
import { publishedSmallShares, weightFigure } from '../../report/paper_a/weights'
import { niceCeiling } from '../../report/svg'
import type { FoundRun } from '../../records/find'
import type { Model, Session } from '../../tensor/session'
import { chooseLayer, type LayerOptions } from '../layer_choice'
import { naturalAndAdversarial, plainAndEnsemble, sparsestOfEachMethod, type Choice } from './choose'
import { captionOf, modelOf, sourceOfPath, sourceOfRun, type Source } from './sources'

/** What a figure is asked to show. */
export interface Request extends Choice, LayerOptions {
  /** All runs that were found; figures choose among them where `paths` is empty. */
  readonly runs: readonly FoundRun[]
  /** Run folders, checkpoints, lists of norms. */
  readonly paths: readonly string[]
  readonly labels: readonly string[]
  /** Opens a worker for `body`; figures that need no tensors do not call it. */
  readonly withWorker: <T>(body: (session: Session) => Promise<T>) => Promise<T>
  readonly note: (line: string) => void
}

/** A drawing and the numbers behind it. */
export interface Drawing {
  readonly spec: TopLevelSpec
  readonly values: unknown
}

/** By the number that the paper gives them. */
export const paperFigures: Readonly<Record<string, (request: Request) => Promise<Drawing>>> = {
  'sparsity-meets-robustness/figure-1': weights,
  'sparsity-meets-robustness/figure-2': layer,
  'sparsity-meets-robustness/figure-3': (request) => Promise.resolve(against(request, sparsityFigure, ['channels'])),
  'sparsity-meets-robustness/figure-4': (request) =>
    Promise.resolve(against(request, accuracyFigure, ['natural', 'fgsm', 'ifgsm20', 'cw'])),
  'sparsity-meets-robustness/figure-5': norms,
}

function sourcesOf(request: Request, choose: (runs: readonly FoundRun[], choice: Choice) => FoundRun[]): Source[] {
  const { paths, labels, runs } = request
  const chosen = paths.length === 0 ? choose(runs, request) : []
  const count = paths.length + chosen.length
  if (labels.length !== 0 && labels.length !== count)
    throw new Error(`Expected \`--labels\` to name each of the ${count} sources, got ${labels.length}`)
  if (paths.length === 0) return chosen.map((run, i) => sourceOfRun(run, labels[i]))
  return paths.map((path, i) => sourceOfPath(path, labels[i]))
}

const caption = (sources: readonly Source[]): string[] =>
  captionOf(
    sources.flatMap(({ record }) => record ?? []),
    sources.flatMap(({ file }) => file ?? []),
  )

/** What stands above a panel: the label, or the architecture, with the name of the file where several have the same. */
function titlesOf(sources: readonly Source[], models: readonly (Model | null)[]): string[] {
  const plain = sources.map(({ label }, i) => label ?? models[i]!.description.architecture)
  return plain.map((title, i) => {
    const { label, model } = sources[i]!
    const alone = plain.filter((other) => other === title).length === 1
    return alone || label !== null || model === null ? title : `${title}, ${basename(model)}`
  })
}

async function open(session: Session, sources: readonly Source[]): Promise<Model[]> {
  return Promise.all(sources.map((source) => session.load(modelOf(source))))
}

function pair(sources: readonly Source[]): void {
  if (sources.length !== 2) throw new Error(`Expected two run folders or checkpoints, got ${sources.length}`)
}

/** Figure 1. */
async function weights(request: Request): Promise<Drawing> {
  const sources = sourcesOf(request, naturalAndAdversarial)
  pair(sources)
  return request.withWorker(async (session) => {
    const models = await open(session, sources)
    const quantiles = await Promise.all(models.map((model) => magnitudeQuantile({ session, model }, 0.99)))
    const high = niceCeiling(Math.max(...quantiles))
    const edges = evenEdges(-high, high, 160)
    const counts = await Promise.all(models.map((model) => weightCounts({ session, model }, edges)))
    const titles = titlesOf(sources, models)
    const panels = counts.map((each, i) => ({
      ...each,
      title: titles[i]!,
      published: published(sources[i]!),
    }))
    const beyond = counts.map(({ histogram: { below, above }, total }) => (100 * (below + above)) / total)
    const outside = `Bars are shares of all weights; ${beyond.map((share) => share.toFixed(2)).join(' and ')} % of the weights lie outside.`
    const reference = panels.some((panel) => panel.published !== null)
      ? ['Published: CIFAR-10 ResNet20, mean of ten trainings, paper A.']
      : []
    return {
      spec: weightFigure(panels, [...caption(sources), outside, ...reference]),
      values: panels.map(({ title, total, zero, small }) => ({ title, total, zero, small, share: small / total })),
    }
  })
}

/** The text of the paper prints two shares, of one network and data set. */
const published = ({ record }: Source): number | null =>
  record?.network === 'ResNet20' && /^cifar-?10$/i.test(record.data.name)
    ? (publishedSmallShares[record.method] ?? null)
    : null

/** Figure 2. */
async function layer(request: Request): Promise<Drawing> {
  const sources = sourcesOf(request, plainAndEnsemble)
  pair(sources)
  return request.withWorker(async (session) => {
    const models = await open(session, sources)
    const { title, shape, names } = chooseLayer(
      models.map(({ description }) => description),
      request,
    )
    const asked = models.map((model, i) => ({
      session,
      model,
      filter: ({ name }: { name: string }) => name === names[i],
    }))
    const quantiles = await Promise.all(asked.map((options) => magnitudeQuantile(options, 0.995)))
    const limit = niceCeiling(Math.max(...quantiles))
    const titles = titlesOf(sources, models)
    const panels = await Promise.all(
      asked.map(async (options, i): Promise<LayerPanel> => {
        const { model } = options
        const [counts, image, all] = await Promise.all([
          weightCounts(options, evenEdges(-limit, limit, 100)),
          layerImage(session, model, names[i]!, limit),
          sparsity({ session, model }),
        ])
        const zeroChannels = zeroNorms(normsOfLayer(model, names[i]!, all.channelNorms)).zero
        return { ...counts, title: titles[i]!, shape, zeroChannels, image }
      }),
    )
    const chosen = request.layer === undefined ? `, chosen by layer seed ${request.layerSeed}` : ''
    const member = models.some(({ description }) => description.members > 1) ? ' of the first member' : ''
    return {
      spec: layerFigure(panels, {
        title: `Weights of ${title}${member}`,
        caption: [
          ...caption(sources),
          `Layer ${title}, ${shape.join(' × ')}${chosen}; bars are shares of its weights.`,
        ],
        limit,
      }),
      values: panels.map((panel) => ({ layer: title, ...numbersOf(panel), zeroChannels: panel.zeroChannels })),
    }
  })
}

const numbersOf = ({ title, total, zero, small }: WeightCounts & { title: string }) => ({ title, total, zero, small })

/** The norms of one convolution among those of all, which come in the order of the network. */
function normsOfLayer({ description }: Model, name: string, all: readonly number[]): readonly number[] {
  let start = 0
  for (const parameter of description.parameters.filter(({ role }) => role === 'conv' || role === 'downsample')) {
    const end = start + parameter.shape[1]!
    if (parameter.name === name) return all.slice(start, end)
    start = end
  }
  return []
}

/** Figures 3 and 4. */
function against(
  request: Request,
  draw: (runs: FoundRun['record'][], caption: readonly string[]) => TopLevelSpec | null,
  keys: readonly Quantity[],
): Drawing {
  const { runs, paths, preset, network, seed } = request
  const records = runs.map(({ record }) => record).filter((record) => seed === undefined || record.seed === seed)
  const { used, leftOut } = lambdaRuns(records, preset, network?.split(','))
  for (const line of leftOut) request.note(`left out ${line}`)
  const spec = draw(used, captionOf(used, []))
  if (spec === null) {
    const where = paths.length === 0 ? '' : ` below ${paths.join(', ')}`
    throw new Error(
      `Expected finished runs of one network with two values of lambda1 (AT counts as 0), preset ${preset}${where}, found ${used.length} of AT and RGSM`,
    )
  }
  const values = keys.flatMap((key) => lambdaPoints(used, key).map((point) => ({ quantity: key, ...point })))
  return { spec, values }
}

/** Figure 5. */
async function norms(request: Request): Promise<Drawing> {
  const sources = sourcesOf(request, sparsestOfEachMethod)
  const known = sources.map(({ norms, label }) => (norms === null ? null : { title: label ?? '', norms }))
  const panels = known.every((each) => each !== null)
    ? known
    : await request.withWorker(async (session) => {
        const models = await Promise.all(
          sources.map(async (source, i) => (known[i] ? null : session.load(modelOf(source)))),
        )
        const titles = titlesOf(sources, models)
        const read = async (model: Model | null, i: number) =>
          model === null ? known[i]! : { title: titles[i]!, norms: (await sparsity({ session, model })).channelNorms }
        return Promise.all(models.map(read))
      })
  return {
    spec: normFigure(panels, caption(sources)),
    values: panels.map(({ title, norms }) => ({ title, ...zeroNorms(norms) })),
  }
}
