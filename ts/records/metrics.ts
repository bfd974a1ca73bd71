/**
 * metrics.jsonl: one JSON object an epoch, appended and flushed. The newline is the commit mark: a last line without it
 * was torn by a crash and counts as never written.
 */
import { existsSync, readFileSync } from 'node:fs'
import { writeAtomically, writeDurably } from './atomic'
import { integer, plainObject, RecordError } from './check'
import { parseJson } from './record'

/**
 * Numbers of one epoch. The report draws `loss` (mean training loss), `robustTrainAccuracy` and `inputChannelSparsity`
 * (fractions) when they are there; any other field is kept as it is.
 */
export interface EpochMetrics {
  /** Epochs finished, from 1. */
  epoch: number
  loss?: number
  robustTrainAccuracy?: number
  inputChannelSparsity?: number
  [name: string]: unknown
}

/** All whole lines of a file, [] when there is none; throws {@link RecordError} for a broken line before the last. */
export function readMetrics(path: string): EpochMetrics[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return lines.map((line, i) => checkLine(parseJson(line, `${path}:${i + 1}`), `${path}:${i + 1}`))
}

/** Adds one epoch; it has to come after the last one in the file. */
export function appendMetrics(path: string, line: EpochMetrics): void {
  const last = readMetrics(path).at(-1)?.epoch ?? 0
  checkLine(line, 'metrics')
  if (line.epoch <= last) {
    throw new RecordError(`Expected \`epoch\` of the metrics to be above the last one, ${last}, got ${line.epoch}`)
  }
  writeDurably(path, `${JSON.stringify(line)}\n`, 'a')
}

/** Drops a torn last line and every epoch after `epoch`: what a run resumed from that epoch will write again. */
export function truncateMetrics(path: string, epoch = Infinity): void {
  if (!existsSync(path)) return
  const kept = readMetrics(path).filter((line) => line.epoch <= epoch)
  const written = kept.map((line) => `${JSON.stringify(line)}\n`).join('')
  if (written !== readFileSync(path, 'utf8')) writeAtomically(path, written)
}

function checkLine(line: unknown, at: string): EpochMetrics {
  integer(1)(plainObject(line, at).epoch, `${at}.epoch`)
  return line as EpochMetrics
}
