/**
 * metrics.jsonl: one JSON object an epoch, appended and flushed. The newline is the commit mark: a last line without it
 * was torn by a crash and counts as never written.
 */
import { existsSync, readFileSync } from 'node:fs'
import { writeAtomically, writeDurably } from './atomic'
import { integer, plainObject } from './check'
import { parseJson, type Zeros } from './record'

/** Numbers of one epoch; the report draws those named here, any other field is kept as it is. */
export interface EpochMetrics {
  /** Epochs finished, from 1. */
  readonly epoch: number
  /** Mean training loss. */
  readonly loss?: number
  /** Share of right answers on the images of the loss: adversarial ones in adversarial training. */
  readonly trainAccuracy?: number
  readonly inputChannels?: Zeros
}

/** All whole lines of a file, [] when there is none; throws RecordError for a broken line before the last. */
export function readMetrics(path: string): EpochMetrics[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return lines.map((line, i) => checkLine(parseJson(line, `${path}:${i + 1}`), `${path}:${i + 1}`))
}

/** Adds one epoch. Lines of this and later epochs belong to a run that did not survive; they go. */
export function appendMetrics(path: string, line: EpochMetrics): void {
  checkLine(line, 'metrics')
  truncateMetrics(path, line.epoch - 1)
  writeDurably(path, written([line]), 'a')
}

/** Drops a torn last line and every epoch after `epoch`: what a run resumed from that epoch writes again. */
export function truncateMetrics(path: string, epoch = Infinity): void {
  if (!existsSync(path)) return
  const kept = written(readMetrics(path).filter((line) => line.epoch <= epoch))
  if (kept !== readFileSync(path, 'utf8')) writeAtomically(path, kept)
}

/** All epochs at once, in order. */
export function writeMetrics(path: string, lines: readonly EpochMetrics[]): void {
  writeAtomically(path, written(lines.map((line, i) => checkLine(line, `metrics[${i}]`))))
}

const written = (lines: readonly EpochMetrics[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('')

function checkLine(line: unknown, at: string): EpochMetrics {
  integer(1)(plainObject(line, at).epoch, `${at}.epoch`)
  return line as EpochMetrics
}
