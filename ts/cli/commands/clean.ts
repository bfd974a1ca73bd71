/** `feynkac clean`: removes unfinished or all run folders that no process works in; never touches anything else. */
import { existsSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { findRecords } from '../../records/find'
import { RunLockedError, takeLock } from '../../records/lock'
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
      const removed: string[] = []
      const locked: string[] = []
      for (const folder of chosen) {
        try {
          const release = takeLock(folder)
          if (options.dryRun) release()
          else rmSync(folder, { recursive: true })
          removed.push(folder)
        } catch (error) {
          if (!(error instanceof RunLockedError)) throw error
          locked.push(folder)
          process.stderr.write(`left ${folder}: ${error.message}\n`)
        }
      }
      if (locked.length > 0) process.exitCode = 1
      if (options.json)
        process.stdout.write(`${JSON.stringify({ removed, locked, dryRun: options.dryRun === true })}\n`)
      else
        for (const folder of removed) process.stdout.write(`${options.dryRun ? 'would remove' : 'removed'} ${folder}\n`)
      if (!options.json && chosen.length === 0) process.stdout.write('nothing to remove\n')
    })
}
