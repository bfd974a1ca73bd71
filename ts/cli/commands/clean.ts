/** `feynkac clean`: removes unfinished or all run folders; never touches anything that is not one. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { takeLock } from '../../records/lock'

/** The run folders below `root`: `<experiment>/<hash>` with a config.json. */
function runFolders(root: string): string[] {
  if (!existsSync(root)) return []
  const folders = (path: string): string[] =>
    readdirSync(path)
      .map((name) => join(path, name))
      .filter((child) => statSync(child).isDirectory())
  const below = (path: string, depth: number): string[] =>
    existsSync(join(path, 'config.json')) ? [path] : depth === 0 ? [] : folders(path).flatMap((child) => below(child, depth - 1))
  return below(root, 4)
}

export function cleanCommand(): Command {
  return new Command('clean')
    .description('remove run folders: the unfinished ones, or all of them')
    .option('--runs DIR', 'the folder of runs', 'runs')
    .option('--all', 'remove finished runs and their records too')
    .option('--dry-run', 'only tell what would be removed')
    .option('--json', 'print one JSON line')
    .addHelpText('after', '\nExamples:\n  npx feynkac clean --dry-run\n  npx feynkac clean --all --runs runs')
    .action((options: { runs: string; all?: boolean; dryRun?: boolean; json?: boolean }) => {
      const removed: string[] = []
      for (const folder of runFolders(resolve(options.runs))) {
        if (!options.all && existsSync(join(folder, 'record.json'))) continue
        takeLock(join(folder, 'lock'))()
        if (!options.dryRun) rmSync(folder, { recursive: true })
        removed.push(folder)
      }
      if (options.json) process.stdout.write(`${JSON.stringify({ removed, dryRun: options.dryRun === true })}\n`)
      else for (const folder of removed) process.stdout.write(`${options.dryRun ? 'would remove' : 'removed'} ${folder}\n`)
      if (!options.json && removed.length === 0) process.stdout.write('nothing to remove\n')
    })
}
