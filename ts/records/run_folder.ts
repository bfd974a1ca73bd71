/**
 * runs/<experiment>/<hash>/: config.json, metrics.jsonl, checkpoints/, record.json. A folder belongs to one
 * configuration (its name is the hash) and, while it is open, to one process (`lock`). The report reads without a lock.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { reason, writeAtomically } from './atomic'
import { canonicalJson, configHash } from './canonical'
import { RecordError, refuse } from './check'
import { takeLock } from './lock'
import { appendMetrics, readMetrics, truncateMetrics, type EpochMetrics } from './metrics'
import { parseJson, parseRecord, type RunRecord } from './record'

export class RunFolder implements Disposable {
  private constructor(
    readonly path: string,
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
      mkdirSync(join(path, 'checkpoints'), { recursive: true })
    } catch (cause) {
      throw new RecordError(`Could not create the run folder \`${path}\`: ${reason(cause)}`, { cause })
    }
    const release = takeLock(join(path, 'lock'))
    try {
      const folder = new RunFolder(path, experiment, hash, config, release)
      folder.checkConfig()
      folder.removeLeftovers()
      truncateMetrics(folder.metricsPath)
      return folder
    } catch (error) {
      release()
      throw error
    }
  }

  get metricsPath(): string {
    return join(this.path, 'metrics.jsonl')
  }

  get recordPath(): string {
    return join(this.path, 'record.json')
  }

  /** Path of a checkpoint file, e.g. `checkpoint('last.safetensors')`; the worker writes it, atomically as well. */
  checkpoint(name: string): string {
    return join(this.path, 'checkpoints', fileName(name))
  }

  metrics(): EpochMetrics[] {
    return readMetrics(this.metricsPath)
  }

  appendMetrics(line: EpochMetrics): void {
    appendMetrics(this.metricsPath, line)
  }

  /** Keeps the epochs up to and including `epoch`, the one training goes on from (0: none). */
  truncateMetrics(epoch: number): void {
    truncateMetrics(this.metricsPath, epoch)
  }

  /** Any other facts of the run as one JSON file, e.g. `channel-norms.json`. */
  writeJson(name: string, value: unknown): void {
    writeAtomically(join(this.path, fileName(name)), `${JSON.stringify(value, null, 2)}\n`)
  }

  /** The parsed file, or null when there is none. */
  readJson(name: string): unknown {
    return readJsonFile(join(this.path, fileName(name)))
  }

  /** Validates the record, and that it is one of this folder, before anything is written. */
  writeRecord(record: RunRecord): void {
    const checked = parseRecord(record)
    if (checked.hash !== this.hash) refuse('record.hash', `that of its run folder, \`${this.hash}\``, checked.hash)
    if (checked.experiment !== this.experiment)
      refuse('record.experiment', `\`${this.experiment}\``, checked.experiment)
    if (canonicalJson(checked.config) !== canonicalJson(this.config)) {
      throw new RecordError('Expected `record.config` to be the configuration the run folder was opened with')
    }
    this.writeJson('record.json', checked)
  }

  /** The finished run of this configuration, or null. */
  readRecord(): RunRecord | null {
    return readRecordFile(this.recordPath)
  }

  /** Forgets everything but the configuration (`--fresh`). */
  clear(): void {
    for (const name of readdirSync(this.path)) {
      if (name !== 'config.json' && name !== 'lock') rmSync(join(this.path, name), { recursive: true, force: true })
    }
    mkdirSync(join(this.path, 'checkpoints'))
  }

  close(): void {
    this.release()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  private checkConfig(): void {
    const path = join(this.path, 'config.json')
    const found = readJsonFile(path)
    if (found === null) this.writeJson('config.json', this.config)
    else if (canonicalJson(found, path) !== canonicalJson(this.config)) {
      throw new RecordError(`Expected \`${path}\` to hold the configuration with hash ${this.hash}, got another one`)
    }
  }

  /** Temporary files of a process that was killed while it wrote. */
  private removeLeftovers(): void {
    // Drafts of lock files stay: one may belong to a process that is asking for the lock right now.
    const left = readdirSync(this.path).filter((name) => name.endsWith('.tmp'))
    for (const name of left) rmSync(join(this.path, name), { force: true })
  }
}

/** runs/<experiment>/<hash>; an experiment is one folder name. */
export function runPath(root: string, experiment: string, hash: string): string {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9._-]*$/.test(experiment)) {
    refuse('experiment', 'a folder name of letters, digits, dots, dashes and underscores', experiment)
  }
  return join(root, experiment, hash)
}

/** The record in a file, or null when there is no such file. */
export function readRecordFile(path: string): RunRecord | null {
  const found = readJsonFile(path)
  return found === null ? null : parseRecord(found, path)
}

/** The parsed file, or null when there is none. */
export function readJsonFile(path: string): unknown {
  return existsSync(path) ? parseJson(readFileSync(path, 'utf8'), path) : null
}

function fileName(name: string): string {
  return /^[a-zA-Z0-9][a-zA-Z0-9._-]*$/.test(name) ? name : refuse('name', 'a plain file name', name)
}
