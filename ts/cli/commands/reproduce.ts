/** `feynkac reproduce`: trains and attacks the rows of a published table, then sets them beside the published numbers. */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { findPython } from '../../../setup/environment'
import { RunFolder } from '../../records/run_folder'
import { sameRow } from '../../tables/shared/table'
import { type Preset, preset as presetOf, presets } from '../../training/presets'
import { type Experiment, configurationOf, rowOf, runExperiment, titleOf } from '../experiment'
import { type KnownData, knownData, torchVersion } from '../known'
import { loadBoth } from '../load_data'
import { seeds, wholeNumber } from '../options'
import { publish } from '../publish'
import { withSession } from '../session'
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
  readonly fresh?: boolean
  readonly json?: boolean
}

function experimentsOf(
  tableName: string,
  chosen: Preset,
  options: Options,
  threads: number,
  known: KnownData,
): Experiment[] {
  const rows = tableNamed(tableName).rows(options.preset)
  return options.seeds.flatMap((seed) =>
    chosen.rows(seed, threads).map((train) => {
      const row = rowOf(train)
      if (!rows.some((candidate) => sameRow(candidate, row))) {
        throw new Error(
          `Expected every row of preset \`${options.preset}\` in ${tableName}, got ${JSON.stringify(row)}`,
        )
      }
      return {
        table: tableName,
        preset: options.preset,
        row,
        train,
        evaluation: chosen.evaluation,
        data: { name: chosen.data.name, known },
      }
    }),
  )
}

async function reproduce(tableName: string, options: Options): Promise<void> {
  const table = tableNamed(tableName)
  const chosen = presetOf(options.preset)
  table.rows(options.preset)
  const runs = resolve(options.runs)
  const threads = options.threads ?? availableParallelism()
  const terminal = openTerminal()
  try {
    terminal.note(`${table.title}, preset ${chosen.name}: ${chosen.description}`)
    const versions = { torch: torchVersion(findPython().python), threads, device: options.device }
    const known = knownData(runs, chosen.data.name, options.dataRoot)
    const done =
      known !== null &&
      !options.fresh &&
      finished(experimentsOf(tableName, chosen, options, threads, known), runs, versions)
    if (!done) {
      await withSession({ ...options, threads }, terminal, async (session, signal) => {
        const data = await loadBoth(session, runs, chosen.data.name, options.dataRoot)
        for (const experiment of experimentsOf(tableName, chosen, options, threads, data.known)) {
          signal.throwIfAborted()
          using folder = RunFolder.open(runs, tableName, configurationOf(experiment, versions))
          if (options.fresh) folder.clear()
          if (folder.readRecord() !== null) terminal.note(`${titleOf(experiment)}: recorded before, reused`)
          else await session.scope(() => runExperiment(experiment, { session, data, folder, terminal, signal }))
        }
      })
    }
    publish({ table, preset: options.preset, runs, json: options.json ?? false, terminal })
  } finally {
    terminal.close()
  }
}

/** Whether every experiment has a record. */
function finished(experiments: Experiment[], runs: string, versions: Parameters<typeof configurationOf>[1]): boolean {
  return experiments.every((experiment) => {
    using folder = RunFolder.open(runs, experiment.table, configurationOf(experiment, versions))
    return folder.readRecord() !== null
  })
}

export function reproduceCommand(): Command {
  return new Command('reproduce')
    .description(
      'train and attack the rows of a published table and print it beside the published numbers; stops, resumes and reuses records',
    )
    .argument('[table]', `one of ${tableNames().join(', ')}`, DEFAULT_TABLE)
    .addOption(new Option('--preset <name>', 'how much to run').choices(Object.keys(presets)).default('smoke'))
    .option('--seeds <list>', 'seeds, separated by commas', seeds, [0])
    .option('--runs <dir>', 'where runs, records and the report go', 'runs')
    .option('--data-root <dir>', 'folder of the data set, where the preset needs one')
    .option('--device <name>', 'auto, cpu or cuda', 'auto')
    .option('--threads <n>', 'threads of torch (all cores when absent); another count gives other bits', wholeNumber(1))
    .option('--fresh', 'forget records and checkpoints of these rows and run them again')
    .option('--json', 'print one JSON line last')
    .addHelpText(
      'after',
      `
Presets:
${Object.values(presets)
  .map(({ name, description }) => `  ${name.padEnd(11)} ${description}`)
  .join('\n')}

Examples:
  npx feynkac reproduce                                          the smoke preset on the embedded images
  npx feynkac reproduce ${DEFAULT_TABLE} --seeds 0,1,2 --json
  npx feynkac reproduce ${DEFAULT_TABLE} --preset quick --data-root data/cifar-10-batches-bin`,
    )
    .action(reproduce)
}
