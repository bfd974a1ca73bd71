/** `feynkac bench`: what driving from TypeScript costs on this machine, and what compaction brings. */
import { cpus } from 'node:os'
import { Command } from 'commander'
import { measureCompaction } from '../../../benchmarks/speed/compaction'
import { measureMemory } from '../../../benchmarks/speed/memory'
import { CASES, measureOverhead } from '../../../benchmarks/speed/overhead'
import { SPLITTING_CASES, measureSplitting } from '../../../benchmarks/speed/splitting'
import { wholeNumber } from '../options'
import type { Session } from '../../tensor/session'
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
      const task = terminal.task('bench overhead, pairs', CASES.length * (options.pairs + 1))
      const measured = await measureOverhead(session, { pairs: options.pairs, onProgress: (done) => task.update(done) })
      task.finish()
      const conditions = conditionsOf(session)
      const { torch, threads } = conditions
      if (options.json) terminal.result(JSON.stringify({ ...measured, conditions }))
      else {
        for (const { name, ratio, low, high, n } of measured.cases) {
          terminal.result(
            `${name}: ${ratio.toFixed(3)} times plain PyTorch [${low.toFixed(3)}, ${high.toFixed(3)}], n = ${n} pairs`,
          )
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

function conditionsOf({ info: { torch, device, threads } }: Session) {
  return { torch, device, threads, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version }
}

const ratio = ({ median, low, high }: { median: number; low: number; high: number }): string =>
  `${median.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`

interface CompactionOptions extends Omit<Options, 'pairs'> {
  readonly rounds: number
  readonly members: number
  readonly batch: number
}

async function compaction(options: CompactionOptions): Promise<void> {
  const terminal = openTerminal()
  try {
    // The peer's network is a file of this package.
    await withSession({ ...options, allowCode: true }, terminal, async (session) => {
      const { rounds, members, batch } = options
      const task = terminal.task('bench compaction, rounds', 2 * rounds)
      const measured = await measureCompaction(session, {
        ...{ rounds, members, batch },
        onProgress: (done) => task.update(done),
      })
      task.finish()
      const conditions = conditionsOf(session)
      if (options.json) return terminal.result(JSON.stringify({ ...measured, conditions }))
      const { parameters, inputChannels, compactionSeconds, forward, forwardBackward } = measured
      terminal.result(
        `En${members}ResNet20: parameters ${parameters.before} -> ${parameters.after}, ` +
          `input channels ${inputChannels.before} -> ${inputChannels.after}`,
      )
      terminal.result(`compacted in ${compactionSeconds.median.toFixed(3)} s`)
      for (const [name, pass] of Object.entries({ forward, 'forward and backward': forwardBackward })) {
        terminal.result(
          `${name}: ${ratio(pass.sameWidths)} times as fast as a fresh network of the same widths, ` +
            `${ratio(pass.original)} times as fast as before, n = ${rounds} rounds`,
        )
      }
      terminal.result(`${conditions.cpu}, ${conditions.threads} threads, torch ${conditions.torch}, batch ${batch}`)
    })
  } finally {
    terminal.close()
  }
}

async function splitting(options: Options): Promise<void> {
  const terminal = openTerminal()
  try {
    await withSession(options, terminal, async (session) => {
      const task = terminal.task('bench splitting, pairs', SPLITTING_CASES * (options.pairs + 1))
      const cases = await measureSplitting(session, { pairs: options.pairs, onProgress: (done) => task.update(done) })
      task.finish()
      const conditions = conditionsOf(session)
      const { cpu, threads, torch } = conditions
      if (options.json) return terminal.result(JSON.stringify({ cases, conditions }))
      for (const { name, method, ratio, low, high, n } of cases) {
        const interval = [low, high].map((value) => value.toFixed(3)).join(', ')
        terminal.result(`${name}, ${method}: ${ratio.toFixed(3)} times the step without [${interval}], n = ${n} pairs`)
      }
      terminal.result(`${cpu}, ${threads} threads, torch ${torch}, Node ${conditions.node}`)
    })
  } finally {
    terminal.close()
  }
}

const MEBIBYTE = 2 ** 20

async function memory(options: { steps: number; json?: boolean }): Promise<void> {
  const terminal = openTerminal()
  try {
    await withSession({ device: 'cpu', threads: 1 }, terminal, async (session) => {
      const task = terminal.task('bench memory', options.steps)
      const readings = await measureMemory(session, {
        steps: options.steps,
        samples: 10,
        onProgress: (done) => task.update(done),
      })
      task.finish()
      if (options.json)
        return terminal.result(JSON.stringify({ readings, torch: session.info.torch, node: process.version }))
      for (const { steps, clientBytes, workerBytes, handles } of readings) {
        const [client, worker] = [clientBytes, workerBytes].map((bytes) => `${(bytes / MEBIBYTE).toFixed(1)} MiB`)
        terminal.result(`${String(steps).padStart(6)} steps: client ${client}, worker ${worker}, ${handles} handles`)
      }
    })
  } finally {
    terminal.close()
  }
}

export function benchCommand(): Command {
  const bench = new Command('bench').description(
    'measure what driving from TypeScript costs, and what compaction brings',
  )
  bench
    .command('compaction')
    .description(
      'an ensemble with half of its channels zero: time to compact it, and speed of what is left, interleaved',
    )
    .option('--rounds <n>', 'rounds of the three networks in turn', wholeNumber(2), 20)
    .option('--members <n>', 'members of the ensemble', wholeNumber(1), 5)
    .option('--batch <n>', 'images a pass', wholeNumber(1), 64)
    .option('--device <name>', 'auto, cpu or cuda', 'auto')
    .option('--threads <n>', 'threads of torch', wholeNumber(1))
    .option('--json', 'print one JSON line')
    .addHelpText('after', '\nExample:\n  npx feynkac bench compaction --json')
    .action(compaction)
  bench
    .command('memory')
    .description('resident memory of both processes over many steps of a tiny network')
    .option('--steps <n>', 'training steps', wholeNumber(10), 10_000)
    .option('--json', 'print one JSON line')
    .addHelpText('after', '\nExample:\n  npx feynkac bench memory')
    .action(memory)
  bench
    .command('overhead')
    .description('the same PGD training step driven from TypeScript and as plain PyTorch, interleaved')
    .option('--pairs <n>', 'interleaved pairs a case', wholeNumber(2), 40)
    .option('--device <name>', 'auto, cpu or cuda', 'auto')
    .option('--threads <n>', 'threads of torch on both sides', wholeNumber(1))
    .option('--json', 'print one JSON line')
    .addHelpText('after', '\nExample:\n  npx feynkac bench overhead --json')
    .action(overhead)
  bench
    .command('splitting')
    .description('a training step with each pruning method and without, interleaved')
    .option('--pairs <n>', 'interleaved pairs a case', wholeNumber(2), 8)
    .option('--device <name>', 'auto, cpu or cuda', 'auto')
    .option('--threads <n>', 'threads of torch', wholeNumber(1))
    .option('--json', 'print one JSON line')
    .addHelpText('after', '\nExample:\n  npx feynkac bench splitting --json')
    .action(splitting)
  return bench
}
