/** `feynkac worker`: a worker in the foreground that serves one client after the other, from this machine or another. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, join } from 'node:path'
import { Command } from 'commander'
import { packageRoot } from '../../../bridge/root'
import { findPython } from '../../../setup/environment'
import { wholeNumber } from '../options'

interface Options {
  readonly listen: string
  readonly keys?: string
  readonly device: string
  readonly threads?: number
  readonly allowCode?: boolean
}

async function work({ listen, keys, device, threads, allowCode }: Options): Promise<void> {
  const given = { listen, keys, device, threads }
  const words = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, String(value)],
  )
  const own = join(packageRoot(), 'py')
  const before = process.env['PYTHONPATH']
  const child = spawn(
    findPython().python,
    ['-u', '-m', 'feynkac_worker', ...words, ...(allowCode ? ['--allow-code'] : [])],
    {
      stdio: 'inherit',
      env: { ...process.env, PYTHONPATH: before ? own + delimiter + before : own, FEYNKAC_TIED: '1' },
    },
  )
  // Ctrl-C reaches the whole group; the worker ends first, and then this.
  const pass = (name: NodeJS.Signals): void => void child.kill(name)
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, pass)
  const [code] = (await once(child, 'exit')) as [number | null]
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(name, pass)
  process.exitCode = code ?? 1
}

export function workerCommand(): Command {
  return new Command('worker')
    .description('serve clients elsewhere: connect({ launcher: "attach", … }) or --worker of other commands')
    .requiredOption('--listen <address>', 'tcp://HOST:PORT; control takes PORT + 1')
    .option('--keys <dir>', 'keys of feynkac keys; needed unless HOST is this machine alone')
    .option('--device <name>', 'auto, cpu, cuda or cuda:N', 'auto')
    .option('--threads <n>', 'threads of torch (all cores when absent)', wholeNumber(1))
    .option('--allow-code', 'clients may have Python code imported that lies on this machine')
    .addHelpText(
      'after',
      '\nExamples:\n  npx feynkac worker --listen tcp://0.0.0.0:5555 --keys ~/.feynkac-keys' +
        '\n  npx feynkac worker --listen tcp://localhost:5555',
    )
    .action(work)
}
