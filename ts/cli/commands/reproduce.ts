/** `feynkac reproduce`: trains and attacks the rows of a published table, then sets them beside the published numbers. */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { findPython } from '../../../setup/environment'
import type { RowIdentity, Table } from '../../tables/shared/table'
import { configure, type Preset, preset as presetOf, presets } from '../../training/presets'
import { finished, runCells } from '../cells'
import type { Experiment } from '../experiment'
import { type KnownData, knownData, torchVersion } from '../known'
import { seeds, wholeNumber } from '../options'
import { publish } from '../publish'
import { cellOf, rowText } from '../rows'
import { tableNamed, tableNames } from '../tables'
import { openTerminal } from '../terminal'

const DEFAULT_TABLE = 'sparsity-meets-robustness/table-2'

interface Options {
  readonly preset: string
  readonly seeds: number[]
  readonly runs: string
  readonly dataRoot?: string
  readonly device: string
  readonly threads?: number
  readonly jobs: number
  readonly only?: string
  readonly fresh?: boolean
  readonly json?: boolean
}

function experimentsOf(
  table: Table,
  chosen: Preset,
  options: Options,
  threads: number,
  known: KnownData,
): Experiment[] {
  const { name } = chosen.data[table.dataset]
  return options.seeds.flatMap((seed) =>
    rowsOf(table, options).map((row) => {
      const train = configure(chosen, cellOf(row, chosen.rho), { data: table.dataset, seed, threads })
      const { evaluation } = chosen
      return { table: table.name, preset: chosen.name, row, train, evaluation, data: { name, known } }
    }),
  )
}

/** The rows that are asked for: those whose name begins with `--only`. */
function rowsOf(table: Table, { preset, only = '' }: Options): RowIdentity[] {
  const rows = table.rows(preset).map(({ network, method, hyper }) => ({ network, method, hyper }))
  const chosen = rows.filter((row) => rowText(row).startsWith(only))
  if (chosen.length > 0) return chosen
  const names = rows.map((row) => `\`${rowText(row)}\``).join(', ')
  throw new Error(`Expected \`--only\` to begin the name of a row (${names}), got \`${only}\``)
}

async function reproduce(tableName: string, options: Options): Promise<void> {
  const tables = tablesNamed(tableName)
  const chosen = presetOf(options.preset)
  const runs = resolve(options.runs)
  const threads = options.threads ?? Math.max(1, Math.floor(availableParallelism() / options.jobs))
  const terminal = openTerminal()
  try {
    const versions = { torch: torchVersion(findPython().python), threads, device: options.device }
    for (const table of tables) {
      terminal.note(`${table.title}, preset ${chosen.name}: ${chosen.description}`)
      const { name } = chosen.data[table.dataset]
      const known = knownData(runs, name, options.dataRoot)
      const done =
        known !== null &&
        !options.fresh &&
        finished(experimentsOf(table, chosen, options, threads, known), runs, versions)
      if (!done) {
        await runCells({
          ...options,
          ...{ threads, runs, versions, terminal, data: name },
          experiments: (facts) => experimentsOf(table, chosen, options, threads, facts),
        })
      }
      publish({ table, preset: options.preset, runs, json: options.json ?? false, terminal })
    }
  } finally {
    terminal.close()
  }
}

/** The table of that name, or all tables of a paper: `sparsity-meets-robustness/all`. */
function tablesNamed(name: string): Table[] {
  const paper = /^([a-z0-9-]+)\/all$/.exec(name)?.[1]
  const ofPaper = tableNames().filter((each) => paper !== undefined && each.startsWith(`${paper}/`))
  return ofPaper.length > 0 ? ofPaper.map(tableNamed) : [tableNamed(name)]
}

export function reproduceCommand(): Command {
  return new Command('reproduce')
    .description(
      'train and attack the rows of a published table and print it beside the published numbers; stops, resumes and reuses records',
    )
    .argument(
      '[table]',
      `one of ${tableNames().join(', ')}, or all of a paper, as sparsity-meets-robustness/all`,
      DEFAULT_TABLE,
    )
    .addOption(new Option('--preset <name>', 'how much to run').choices(Object.keys(presets)).default('smoke'))
    .option('--seeds <list>', 'seeds, separated by commas', seeds, [0])
    .option('--runs <dir>', 'where runs, records and the report go', 'runs')
    .option('--data-root <dir>', 'folder of the data set, where the preset needs one')
    .option('--device <name>', 'auto, cpu or cuda', 'auto')
    .option('--jobs <n>', 'rows that run side by side, each in a worker of its own', wholeNumber(1), 1)
    .option(
      '--threads <n>',
      'threads of torch in each worker (the cores shared among the jobs when absent); another count gives other bits',
      wholeNumber(1),
    )
    .option('--only <name>', 'run only the rows whose name begins like this, such as ResNet20 or "En2ResNet20 RGSM"')
    .option('--fresh', 'forget records and checkpoints of these rows and run them again')
    .option('--json', 'print one JSON line last')
    .addHelpText(
      'after',
      `
Presets:
${Object.values(presets)
  .map(({ name, description }) => `  ${name.padEnd(14)} ${description}`)
  .join('\n')}

Examples:
  npx feynkac reproduce                                          the smoke preset on the embedded images
  npx feynkac reproduce ${DEFAULT_TABLE} --seeds 0,1,2 --json
  npx feynkac reproduce ${DEFAULT_TABLE} --preset quick --data-root data/cifar-10-batches-bin`,
    )
    .action(reproduce)
}
