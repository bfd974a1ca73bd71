/** What a session is opened with. */
import { availableParallelism } from 'node:os'
import { FeynkacError } from './errors'
import type { Launcher } from './launcher'

export interface ConnectionOptions {
  /** `auto` takes CUDA where it works, else the CPU. */
  readonly device?: 'auto' | 'cpu' | 'cuda' | `cuda:${number}`
  /** Threads of one torch operation; all cores by default. */
  readonly threads?: number
  /** The interpreter; FEYNKAC_PYTHON or the prepared environment by default. */
  readonly python?: string
  /**
   * `execa` starts a child process; `pythonia` embeds the worker, so that `session.python` reaches live objects of your own; `attach`
   * asks one that was started by hand (docs/attach.md).
   */
  readonly launcher?: 'execa' | 'pythonia' | 'attach' | Launcher
  /** `tcp://HOST:PORT` of the worker to attach to. */
  readonly address?: string
  /** Folder with `server.public`, `client.public` and `client.secret`; needed unless the address is this machine. */
  readonly keys?: string
  /** Ends the start-up; later cancellation is per call. */
  readonly signal?: AbortSignal
  /** Deadline of the start-up, 120 s by default: importing torch from a cold disk is slow. */
  readonly startTimeoutMs?: number
  /**
   * How long a worker may stay silent during `close()` before it is killed, 10 s by default. An attached one is given up when its
   * heartbeats stay away for as long at any time.
   */
  readonly silenceMs?: number
  /** One call a line of the worker's log; stderr by default. */
  readonly onLog?: (line: string) => void
  /** The next await throws any error that no promise has shown. Otherwise `close()` does. */
  readonly failFast?: boolean
  /** Exact call sites for every command, and a report of handles that were never freed. */
  readonly debug?: boolean
  /** Largest tensor in bytes, here and in the worker. */
  readonly tensorBytes?: number
  /** Lets the worker import Python code of yours: `session.adopt`. Without it, nothing is imported on the client's word. */
  readonly allowImports?: boolean
  /** Switches the worker's fault injection on; for tests. */
  readonly faults?: boolean
}

export interface Settings {
  readonly threads: number
  readonly device: string
  readonly startTimeoutMs: number
  readonly silenceMs: number
  readonly onLog: (line: string) => void
  readonly failFast: boolean
  readonly debug: boolean
  readonly tensorBytes: number
  readonly allowImports: boolean
  readonly faults: boolean
}

const GIB = 2 ** 30

export const MESSAGE_BYTES = 8 * GIB
export const PLAN_NODES = 200_000
export const MAX_HANDLES = 4_000_000

function positive(name: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value
  throw new FeynkacError(`Expected \`${name}\` to be a positive integer, got \`${String(value)}\` (${typeof value})`)
}

const KNOWN: Readonly<Record<keyof ConnectionOptions, true>> = {
  device: true,
  threads: true,
  python: true,
  launcher: true,
  address: true,
  keys: true,
  signal: true,
  startTimeoutMs: true,
  silenceMs: true,
  onLog: true,
  failFast: true,
  debug: true,
  tensorBytes: true,
  allowImports: true,
  faults: true,
}

/** Fills in the defaults; throws one sentence for an unknown option or a value that makes no sense. */
export function settle(options: ConnectionOptions): Settings {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(KNOWN, name))
  if (unknown !== undefined) {
    throw new FeynkacError(
      `Expected the options of connect to be among ${Object.keys(KNOWN).join(', ')}, got \`${unknown}\``,
    )
  }
  for (const name of ['address', 'keys'] as const) {
    if (options[name] !== undefined && options.launcher !== 'attach')
      throw new FeynkacError(`Expected \`${name}\` to come with \`launcher: 'attach'\`, got another launcher`)
  }
  const device = options.device ?? 'auto'
  if (!/^(auto|cpu|cuda(:\d+)?)$/.test(device))
    throw new FeynkacError(
      `Expected \`device\` to be auto, cpu, cuda or cuda:<index>, got \`${device}\` (${typeof device})`,
    )
  return {
    device,
    threads: positive('threads', options.threads ?? availableParallelism()),
    startTimeoutMs: positive('startTimeoutMs', options.startTimeoutMs ?? 120_000),
    silenceMs: positive('silenceMs', options.silenceMs ?? 10_000),
    onLog: options.onLog ?? ((line) => void process.stderr.write(line + '\n')),
    failFast: options.failFast ?? false,
    debug: options.debug ?? false,
    tensorBytes: positive('tensorBytes', options.tensorBytes ?? MESSAGE_BYTES),
    // Only the word itself: whatever else is truthy was not meant as a permission.
    allowImports: options.allowImports === true,
    faults: options.faults ?? false,
  }
}
