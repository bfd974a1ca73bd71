/** `feynkac doctor`: what was found, and the exact line that repairs each gap. */
import { Command } from 'commander'
import { examine } from '../../../setup/doctor'

const MARKS = { ok: 'ok', warning: 'warning', missing: 'missing' } as const

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('tell what was found (Node, Python, torch, CUDA, zmq, data sets) and how to repair each gap')
    .option('--json', 'print one JSON line')
    .addHelpText('after', '\nExample:\n  npx feynkac doctor')
    .action(async (options: { json?: boolean }) => {
      const checks = await examine()
      if (options.json) process.stdout.write(`${JSON.stringify({ checks })}\n`)
      else {
        const width = Math.max(...checks.map((check) => check.name.length))
        for (const { name, state, found, repair } of checks) {
          process.stdout.write(`${MARKS[state].padEnd(8)} ${name.padEnd(width)}  ${found}\n`)
          if (repair) process.stdout.write(`${' '.repeat(width + 11)}repair: ${repair}\n`)
        }
      }
      if (checks.some((check) => check.state === 'missing')) process.exitCode = 1
    })
}
