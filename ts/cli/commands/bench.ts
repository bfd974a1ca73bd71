/** `feynkac bench`: what driving from TypeScript costs on this machine. */
import { cpus } from 'node:os'
import { Command } from 'commander'
import { measureOverhead } from '../../../benchmarks/speed/overhead'
import { wholeNumber } from '../options'
import { withSession } from '../session'
import { openTerminal } from '../terminal'

interface Options {
  readonly pairs: number
  readonly device: string
  readonly threads?: number
  readonly json?: boolean
}

async function overhead(options: Options): Promise<void> {
  const terminal = openTerminal()
  try {
    await withSession(options, terminal, async (session) => {
      const task = terminal.task('bench overhead', 1)
      let total = 1
      const measured = await measureOverhead(session, {
        pairs: options.pairs,
        onProgress: (done, all) => {
          total = all
          task.update(done / all, `${done}/${all} pairs`)
        },
      })
      task.finish(`${total} pairs`)
      const { torch, device, threads } = session.info
      const conditions = { torch, device, threads, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version }
      if (options.json) terminal.result(JSON.stringify({ ...measured, conditions }))
      else {
        for (const { name, ratio, low, high, n } of measured.cases) {
          terminal.result(`${name}: ${ratio.toFixed(3)} times plain PyTorch [${low.toFixed(3)}, ${high.toFixed(3)}], n = ${n} pairs`)
        }
        terminal.result(`one batched command: ${measured.perCommandMicroseconds.toFixed(2)} microseconds`)
        terminal.result(`one round trip: ${measured.roundTripMicroseconds.toFixed(0)} microseconds`)
        terminal.result(`${conditions.cpu}, ${threads} threads, torch ${torch}, Node ${conditions.node}`)
      }
    })
  } finally {
    terminal.close()
  }
}

export function benchCommand(): Command {
  const bench = new Command('bench').description('measure what driving from TypeScript costs')
  bench
    .command('overhead')
    .description('the same PGD training step driven from TypeScript and as plain PyTorch, interleaved')
    .option('--pairs <n>', 'interleaved pairs a case', wholeNumber(2), 40)
    .option('--device <name>', 'auto, cpu or cuda', 'auto')
    .option('--threads <n>', 'threads of torch on both sides', wholeNumber(1))
    .option('--json', 'print one JSON line')
    .addHelpText('after', '\nExample:\n  npx feynkac bench overhead --json')
    .action(overhead)
  return bench
}
