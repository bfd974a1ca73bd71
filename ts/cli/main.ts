/** `feynkac`: the command line. Each command lives in its own file below `commands/`. */
import { Command, CommanderError } from 'commander'
import { attackCommand } from './commands/attack'
import { benchCommand } from './commands/bench'
import { cleanCommand } from './commands/clean'
import { compactCommand } from './commands/compact'
import { dataCommand } from './commands/data'
import { doctorCommand } from './commands/doctor'
import { exportCommand } from './commands/export'
import { figuresCommand } from './commands/figures'
import { inspectCommand } from './commands/inspect'
import { keysCommand } from './commands/keys'
import { reproduceCommand } from './commands/reproduce'
import { setupCommand } from './commands/setup'
import { tableCommand } from './commands/table'
import { tensorboardCommand } from './commands/tensorboard'
import { trainCommand } from './commands/train'
import { workerCommand } from './commands/worker'
import { fail } from './failure'
import { packageVersion } from '../../bridge/root'

/** The whole command line; actions throw, `main` reports. */
export function program(): Command {
  const command = new Command('feynkac')
    .description(
      'Robust training, relaxed-splitting pruning and honest attacks of Feynman-Kac ensembles, with PyTorch doing the heavy part.',
    )
    .version(packageVersion())
    .showHelpAfterError('(feynkac --help, or feynkac COMMAND --help, lists what is known)')
    .exitOverride()
  for (const add of [
    reproduceCommand,
    trainCommand,
    attackCommand,
    inspectCommand,
    compactCommand,
    exportCommand,
    tableCommand,
    figuresCommand,
    tensorboardCommand,
    dataCommand,
    doctorCommand,
    benchCommand,
    cleanCommand,
    workerCommand,
    keysCommand,
    setupCommand,
  ]) {
    const added = add().exitOverride()
    command.addCommand(added.showHelpAfterError(`(feynkac ${added.name()} --help shows what is known)`))
  }
  return command
}

/** Runs one command; failures end in one sentence and a non-zero exit code. */
export async function main(argv: readonly string[] = process.argv): Promise<void> {
  try {
    await program().parseAsync(argv)
  } catch (error) {
    // commander has already printed its own message, help and version included
    if (error instanceof CommanderError) process.exitCode = error.exitCode
    else fail(error)
  }
}
