/** `--worker tcp://host:port`: work on a worker that was started by hand (`feynkac worker`), in place of one that the command starts. */
import type { Command } from 'commander'

export interface WorkerAddress {
  readonly worker?: string
  readonly keys?: string
}

/** Adds the options to a command. */
export const withWorkerAddress = (command: Command): Command =>
  command
    .option('--worker <address>', 'use the worker that listens at tcp://HOST:PORT; all files are then on its machine')
    .option('--keys <dir>', 'keys for --worker (see feynkac keys); needed unless it is this machine')
