/** `feynkac tensorboard`: event files of all runs, made from metrics.jsonl; training itself writes none. */
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { Command } from 'commander'
import { findRecords } from '../../records/find'
import { readMetrics } from '../../records/metrics'
import type { RunRecord } from '../../records/record'
import { scalarsOf } from '../../report/scalars'
import { toEventFile } from '../../report/tensorboard'
import { methodText } from '../../tables/shared/table'
import { openTerminal } from '../terminal'

/** TensorBoard reads every file with `tfevents` in its name; a fixed name is replaced by the next conversion. */
const FILE = 'events.out.tfevents.0.feynkac'

/** The run as TensorBoard lists it: the folder of an unfinished one, what was trained of a finished one. */
function nameOf(runs: string, folder: string, record: RunRecord | null): string {
  if (record === null) return relative(runs, folder)
  const words = `${record.network} ${methodText(record)}, seed ${record.seed}, ${record.hash.slice(0, 8)}`
  return join(record.experiment, words.replace(/[^\w.,= λβ-]/g, '_'))
}

function startOf(folder: string, record: RunRecord | null): number {
  if (record === null) return statSync(folder).birthtimeMs / 1000
  return Date.parse(record.date) / 1000 - record.seconds.train - record.seconds.evaluate
}

export function tensorboardCommand(): Command {
  return new Command('tensorboard')
    .description('write the numbers of all runs as TensorBoard event files; call it again for newer ones')
    .option('--runs <dir>', 'where the records are', 'runs')
    .option('--out <dir>', 'where the event files go', join('runs', 'tensorboard'))
    .option('--json', 'print one JSON line')
    .addHelpText(
      'after',
      '\nExample:\n  npx feynkac tensorboard --runs runs --out events && tensorboard --logdir events',
    )
    .action((options: { runs: string; out: string; json?: boolean }) => {
      const terminal = openTerminal(false)
      const [root, out] = [resolve(options.runs), resolve(options.out)]
      const { runs, unfinished, broken } = findRecords(root)
      for (const { path, reason } of broken) terminal.note(`left out ${path}: ${reason}`)
      const all = [...runs, ...unfinished.map((folder) => ({ folder, record: null }))]
      const files = all.flatMap(({ folder, record }) => {
        const start = startOf(folder, record)
        const scalars = scalarsOf(readMetrics(join(folder, 'metrics.jsonl')), record, start)
        if (scalars.length === 0) return []
        // the file of the time when the run was unfinished would show it twice
        rmSync(join(out, nameOf(root, folder, null), FILE), { force: true })
        const path = join(out, nameOf(root, folder, record), FILE)
        mkdirSync(resolve(path, '..'), { recursive: true })
        writeFileSync(path, toEventFile(scalars, start))
        return [path]
      })
      if (options.json) return terminal.result(JSON.stringify({ out, files }))
      terminal.result(
        files.length === 0
          ? `no run below ${root} has numbers yet`
          : `${files.length} run${files.length === 1 ? '' : 's'} in ${out}; look with \`tensorboard --logdir ${out}\``,
      )
    })
}
