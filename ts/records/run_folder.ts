/**
 * runs/<experiment>/<hash>/: config.json, metrics.jsonl, record.json and the files of training. A folder belongs to one
 * configuration (its name is the hash) and, while it is open, to one process (`lock`). The report reads without a lock.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { reason, writeAtomically } from './atomic'
import { canonicalJson, configHash } from './canonical'
import { RecordError, refuse } from './check'
import { LOCK, takeLock } from './lock'
import { appendMetrics, readMetrics, truncateMetrics, writeMetrics, type EpochMetrics } from './metrics'
import { parseJson, parseRecord, type RunRecord } from './record'

const CONFIG = 'config.json'
const METRICS = 'metrics.jsonl'
const RECORD = 'record.json'

/** The open folder of one run. `close`, or `using`, gives it to other processes. */
export class RunFolder implements Disposable {
  private constructor(
    /** Absolute. */
    readonly folder: string,
    readonly experiment: string,
    readonly hash: string,
    readonly config: Record<string, unknown>,
    private readonly release: () => void,
  ) {}

  /**
   * Creates or reopens the folder of a configuration and locks it until {@link close}. A lock of a dead process is taken
   * over and a torn last line of the metrics is dropped. Throws RunLockedError while another process holds the folder.
   */
  static open(root: string, experiment: string, config: Record<string, unknown>): RunFolder {
    const hash = configHash(config)
    const path = runPath(root, experiment, hash)
    try {
      mkdirSync(path, { recursive: true })
    } catch (cause) {
      throw new RecordError(`Could not create the run folder \`${path}\`: ${reason(cause)}`, { cause })
    }
    const release = takeLock(path)
    try {
      const folder = new RunFolder(path, experiment, hash, config, release)
      folder.checkConfig()
      folder.removeLeftovers()
      truncateMetrics(folder.path(METRICS))
      return folder
    } catch (error) {
      release()
      throw error
    }
  }

  /** Absolute path of a file in the folder, e.g. `path('state.safetensors')`. */
  path(name: string): string {
    if (!/^[a-zA-Z0-9][a-zA-Z0-9._-]*$/.test(name)) refuse('name', 'a plain file name', name)
    return join(this.folder, name)
  }

  metrics(): EpochMetrics[] {
    return readMetrics(this.path(METRICS))
  }

  /** Adds the metrics of an epoch; lines of this and later epochs, left by a run that was killed, go. */
  append(metrics: EpochMetrics): void {
    appendMetrics(this.path(METRICS), metrics)
  }

  /** Keeps the epochs up to and including `epoch`, the one training goes on from (0: none). */
  truncateMetrics(epoch: number): void {
    truncateMetrics(this.path(METRICS), epoch)
  }

  /** The whole history at once: fills the gap of a run that was killed between its checkpoint and its metrics. */
  writeMetrics(history: readonly EpochMetrics[]): void {
    writeMetrics(this.path(METRICS), history)
  }

  /** Any other facts of the run as one JSON file, e.g. `channel-norms.json`. */
  writeJson(name: string, value: unknown): void {
    writeAtomically(this.path(name), `${JSON.stringify(value, null, 2)}\n`)
  }

  /** The parsed file, or null when there is none. */
  readJson(name: string): unknown {
    return readJsonFile(this.path(name))
  }

  /** Validates the record, and that it is one of this folder, before anything is written. */
  writeRecord(record: RunRecord): void {
    const checked = parseRecord(record)
    if (checked.hash !== this.hash) refuse('record.hash', `that of its run folder, \`${this.hash}\``, checked.hash)
    if (checked.experiment !== this.experiment)
      refuse('record.experiment', `\`${this.experiment}\``, checked.experiment)
    if (canonicalJson(checked.config) !== canonicalJson(this.config)) {
      throw new RecordError(
        'Expected `record.config` to be the configuration the run folder was opened with, got another',
      )
    }
    this.writeJson(RECORD, checked)
  }

  /** The finished run of this configuration, or null. */
  readRecord(): RunRecord | null {
    return readRecordFile(this.path(RECORD))
  }

  /** Forgets everything but the configuration (`--fresh`). */
  clear(): void {
    for (const name of readdirSync(this.folder)) {
      if (name !== CONFIG && name !== LOCK) rmSync(join(this.folder, name), { recursive: true, force: true })
    }
  }

  close(): void {
    this.release()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  private checkConfig(): void {
    const found = this.readJson(CONFIG)
    if (found === null) this.writeJson(CONFIG, this.config)
    else if (canonicalJson(found, CONFIG) !== canonicalJson(this.config)) {
      throw new RecordError(
        `Expected \`${this.path(CONFIG)}\` to be the configuration with hash ${this.hash}, got another`,
      )
    }
  }

  /** Temporary files of a process that was killed while it wrote. Drafts of locks stay: another process may need its own. */
  private removeLeftovers(): void {
    const left = readdirSync(this.folder).filter((name) => name.endsWith('.tmp'))
    for (const name of left) rmSync(join(this.folder, name), { force: true })
  }
}

/** `<root>/<experiment>/<hash>`; an experiment is one or more folder names: `sparsity-meets-robustness/table-2`. */
export function runPath(root: string, experiment: string, hash: string): string {
  if (!/^[a-zA-Z0-9][\w.-]*(\/[a-zA-Z0-9][\w.-]*)*$/.test(experiment)) {
    refuse('experiment', 'folder names of letters, digits, dots, dashes and underscores, joined by `/`', experiment)
  }
  return resolve(root, experiment, hash)
}

/** The record in a file, or null when there is no such file. */
export function readRecordFile(path: string): RunRecord | null {
  const found = readJsonFile(path)
  return found === null ? null : parseRecord(found, path)
}

function readJsonFile(path: string): unknown {
  return existsSync(path) ? parseJson(readFileSync(path, 'utf8'), path) : null
}
