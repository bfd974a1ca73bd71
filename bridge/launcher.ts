/** How a worker process is started and watched. `execa` is the default, `pythonia` embeds it, `attach` finds one; tests bring their own. */
import type { WorkerConfig } from './messages'

export interface LaunchOptions {
  readonly config: WorkerConfig
  /** The interpreter; found by the launcher when absent. */
  readonly python?: string
  /** One call a line of the worker's log. */
  readonly onLog: (line: string) => void
}

/** How a process ended. */
export interface Exit {
  readonly exitCode: number | null
  readonly signal: string | null
  /** Why it could not be started at all; null when it ran. */
  readonly failure: string | null
  readonly lastStderr: readonly string[]
  /** Address, machine and process of a worker that is not a child of this process. */
  readonly where?: string
  /** One sentence in place of code and signal, where the process is out of reach and nobody knows how it ended. */
  readonly lost?: string
}

export interface WorkerProcess {
  readonly pid: number | undefined
  /** Resolves once, when the process is gone; never rejects. */
  readonly exited: Promise<Exit>
  /** Sends one control line; ignored once the process is gone. */
  control(line: Readonly<Record<string, unknown>>): void
  /** Takes the JSON answers to control lines. */
  onControl(listener: (answer: Readonly<Record<string, unknown>>) => void): void
  /** Asks the process to end, then forces it. */
  kill(signal?: 'SIGKILL'): void
  /** The process no longer keeps this one alive. */
  unref(): void
  /** Calls into the user's Python; only where the worker is embedded. */
  readonly embedded?: PythonBridge
}

/** A request to `py/feynkac_worker/embedded.py`. */
export type PythonRequest = 'run_function' | 'make_object' | 'drop_object'

export interface PythonBridge {
  /** Strings in, strings out. Rejects when the process ends. */
  ask(what: PythonRequest, request: string): Promise<string>
}

export interface Launcher {
  readonly name: string
  launch(options: LaunchOptions): WorkerProcess
}
