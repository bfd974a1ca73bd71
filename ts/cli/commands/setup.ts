/** `feynkac setup`: bin/feynkac.js brings packages, build and Python environment up to date before any command; this one does nothing else. */
import { Command } from 'commander'

export function setupCommand(): Command {
  return new Command('setup')
    .description('install what is missing and do nothing else')
    .addHelpText('after', '\nExample:\n  npx feynkac setup')
    .action(() => void process.stdout.write('feynkac is set up.\n'))
}
