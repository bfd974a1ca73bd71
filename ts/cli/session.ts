/** A worker for one command: log lines go to the terminal, Ctrl-C once cancels and tidies up, twice ends at once. */
import { Session, connect } from '../tensor/session'
import type { WorkerAddress } from './attached'
import type { Terminal } from './terminal'

/** Options that every command with a worker takes. */
export interface WorkerOptions extends WorkerAddress {
  readonly device: string
  readonly threads?: number
  /** Permission to run Python code of the user. */
  readonly allowCode?: boolean
}

/** Runs `body` with a session that is always closed, and with a signal that Ctrl-C and SIGTERM abort. */
export async function withSession<T>(
  options: WorkerOptions,
  terminal: Terminal,
  body: (session: Session, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (options.keys !== undefined && options.worker === undefined)
    throw new Error(`Expected \`--keys\` with --worker, got no \`--worker\``)
  const interrupt = new AbortController()
  const stop = (name: NodeJS.Signals): void => {
    if (interrupt.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143)
    terminal.note(`stopping (${name}); press Ctrl-C again to end at once`)
    interrupt.abort(new Error(`stopped by ${name}`))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  try {
    const session = await connect({
      device: options.device as 'auto' | 'cpu' | 'cuda',
      threads: options.threads,
      allowImports: options.allowCode,
      ...(options.worker !== undefined && {
        launcher: 'attach',
        address: options.worker,
        keys: options.keys,
      }),
      onLog: (line) => terminal.note(line),
    })
    try {
      checkThreads(options, session)
      return await body(session, interrupt.signal)
    } finally {
      await session.close()
    }
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

/** Another count of threads gives other bits, and records name the count. */
function checkThreads({ worker, threads }: WorkerOptions, { info }: Session): void {
  if (worker !== undefined && threads !== undefined && threads !== info.threads)
    throw new Error(`Expected \`--threads\` to be at most ${info.threads}, as at ${worker}, got ${threads}`)
}
