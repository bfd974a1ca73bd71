/** `feynkac clean`: removes unfinished or all run folders; never touches anything that is not one. */
import { existsSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { findRecords } from '../../records/find'
import { takeLock } from '../../records/lock'
import { RESULT } from './train'

export function cleanCommand(): Command {
  return new Command('clean')
    .description('remove run folders: the unfinished ones, or all of them')
    .option('--runs <dir>', 'the folder of runs', 'runs')
    .option('--all', 'remove finished runs and their records too')
    .option('--dry-run', 'only tell what would be removed')
    .option('--json', 'print one JSON line')
    .addHelpText('after', '\nExamples:\n  npx feynkac clean --dry-run\n  npx feynkac clean --all --runs runs')
    .action((options: { runs: string; all?: boolean; dryRun?: boolean; json?: boolean }) => {
      const { runs, unfinished } = findRecords(resolve(options.runs))
      const finished = [
        ...runs.map(({ folder }) => folder),
        ...unfinished.filter((folder) => existsSync(join(folder, RESULT))),
      ]
      const chosen = options.all
        ? [...new Set([...finished, ...unfinished])]
        : unfinished.filter((folder) => !finished.includes(folder))
      for (const folder of chosen) {
        // refuses while another process works there
        const release = takeLock(folder)
        if (options.dryRun) release()
        else rmSync(folder, { recursive: true })
      }
      const removed = chosen
      if (options.json) process.stdout.write(`${JSON.stringify({ removed, dryRun: options.dryRun === true })}\n`)
      else
        for (const folder of removed) process.stdout.write(`${options.dryRun ? 'would remove' : 'removed'} ${folder}\n`)
      if (!options.json && removed.length === 0) process.stdout.write('nothing to remove\n')
    })
}
