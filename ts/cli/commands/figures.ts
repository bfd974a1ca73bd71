/** `feynkac figures`: the figures of a table or of a paper from the records that are there, as files. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import type { TopLevelSpec } from 'vega-lite'
import { channelNormsOf, findRecords, type FoundRun, metricsOf } from '../../records/find'
import { figuresOf } from '../../report/figures'
import { toPng, toSvg } from '../../report/render'
import { presets } from '../../training/presets'
import { CELLS } from '../cells'
import { names, wholeNumber } from '../options'
import { paperFigures } from '../paper_figures/draw'
import { withSession } from '../session'
import { tableNamed, tableNames } from '../tables'
import { openTerminal, type Terminal } from '../terminal'

interface Options {
  readonly preset: string
  readonly runs: string
  readonly out: string
  readonly format: string[]
  readonly network?: string
  readonly data?: string
  readonly seed?: number
  readonly labels?: string
  readonly layer?: string
  readonly layerSeed: number
  readonly device: string
  readonly json?: boolean
}

const render = { svg: toSvg, png: toPng }
const formats = Object.keys(render) as (keyof typeof render)[]

const drawable = (): string[] => [...tableNames(), ...Object.keys(paperFigures)]

export function figuresCommand(): Command {
  return new Command('figures')
    .description('draw the figures of a table, or a figure of a paper, from the records and checkpoints that are there')
    .argument('<name>', `one of ${drawable().join(', ')}`)
    .argument(
      '[sources...]',
      'figures 1, 2, 5: run folders, checkpoints or lists of norms (.txt); 3, 4: folders of runs',
    )
    .addOption(new Option('--preset <name>', 'rows of which preset').choices(Object.keys(presets)).default('smoke'))
    .option('--runs <dir>', 'where the records are', 'runs')
    .option('--out <dir>', 'where the figures go', 'figures')
    .option('--format <names>', `some of ${formats.join(', ')}`, names(formats), ['svg'])
    .option(
      '--network <name>',
      'figures of a paper: runs of this network; figures 3 and 4 take several, joined by commas',
    )
    .option('--data <name>', 'figures of a paper: runs on this data set (cifar10 where there are several)')
    .option('--seed <n>', 'figures of a paper: runs of this seed (the lowest; figures 3 and 4: all)', wholeNumber(0))
    .option('--labels <texts>', 'names of the sources, joined by commas')
    .option('--layer <name>', 'figure 2: this layer, such as layer3.1.conv2')
    .option('--layer-seed <n>', 'figure 2: draws one of the largest layers', wholeNumber(0), 0)
    .option('--device <name>', 'auto, cpu or cuda', 'cpu')
    .option('--json', 'print one JSON line')
    .addHelpText(
      'after',
      `
Examples:
  npx feynkac figures sparsity-meets-robustness/table-2 --runs runs --out figures --format svg,png
  npx feynkac figures sparsity-meets-robustness/figure-1 natural.pt robust.pt --labels "NT ResNet20,AT ResNet20"
  npx feynkac figures sparsity-meets-robustness/figure-3 --preset quick --network En2ResNet20,ResNet20
  npx feynkac figures sparsity-meets-robustness/figure-5 rgsm.txt admm.txt`,
    )
    .action(async (name: string, sources: string[], options: Options) => {
      if (!drawable().includes(name))
        throw new Error(`Expected \`name\` to be one of ${drawable().join(', ')}, got \`${name}\``)
      const terminal = openTerminal(false)
      const drawn: Drawn = Object.hasOwn(paperFigures, name)
        ? await paperFigure(name, sources, options, terminal)
        : { figures: tableFigures(name, sources, options, terminal) }
      mkdirSync(options.out, { recursive: true })
      const files: string[] = []
      for (const { name, spec } of drawn.figures) {
        for (const format of formats.filter((each) => options.format.includes(each))) {
          const path = join(options.out, `${name}.${format}`)
          writeFileSync(path, await render[format](spec))
          files.push(path)
        }
      }
      terminal.result(options.json ? JSON.stringify({ files, values: drawn.values }) : files.join('\n'))
    })
}

interface Drawn {
  readonly figures: readonly { readonly name: string; readonly spec: TopLevelSpec }[]
  /** The numbers behind a figure of a paper. */
  readonly values?: unknown
}

function tableFigures(
  name: string,
  sources: readonly string[],
  options: Options,
  terminal: Terminal,
): Drawn['figures'] {
  const table = tableNamed(name)
  if (sources.length > 0) throw new Error(`Expected \`--runs\` for the figures of a table, got \`${sources[0]}\``)
  const { runs, broken } = findRecords(resolve(options.runs), CELLS)
  for (const { path, reason } of broken) terminal.note(`left out ${path}: ${reason}`)
  const data = table.build(
    runs.map(({ record }) => record),
    options.preset,
  )
  const figures = figuresOf(data, { metrics: metricsOf(runs), channelNorms: channelNormsOf(runs) })
  if (figures.length === 0) {
    throw new Error(
      `Expected finished runs of preset ${options.preset} below ${resolve(options.runs)}, found none to draw`,
    )
  }
  return figures
}

async function paperFigure(
  name: string,
  paths: readonly string[],
  options: Options,
  terminal: Terminal,
): Promise<Drawn> {
  // figures 3 and 4 average over runs, so that their sources are folders of runs
  const averaged = /figure-[34]$/.test(name)
  const roots = averaged && paths.length > 0 ? paths : [options.runs]
  const found = roots.map((root) => findRecords(resolve(root)))
  for (const { path, reason } of found.flatMap(({ broken }) => broken)) terminal.note(`left out ${path}: ${reason}`)
  const { spec, values } = await paperFigures[name]!({
    ...options,
    runs: ofOneDataSet(
      found.flatMap(({ runs }) => runs),
      options,
    ),
    paths,
    labels: options.labels?.split(',').map((label) => label.trim()) ?? [],
    note: (line) => terminal.note(line),
    withWorker: (body) => withSession({ device: options.device, threads: 1 }, terminal, body),
  })
  return { figures: [{ name: name.split('/').at(-1)!, spec }], values }
}

/** The figures of the paper are of CIFAR-10: runs on other data must not slip among them. */
function ofOneDataSet(runs: readonly FoundRun[], { preset, data }: Options): FoundRun[] {
  const known = [
    ...new Set(runs.filter(({ record }) => record.preset === preset).map(({ record }) => record.data.name)),
  ]
  if (data !== undefined && !known.includes(data))
    throw new Error(
      `Expected \`--data\` to be one of ${known.join(', ') || 'none'}, that of finished runs, got \`${data}\``,
    )
  const chosen = data ?? (known.includes('cifar10') ? 'cifar10' : known[0])
  return runs.filter(({ record }) => record.data.name === chosen)
}
