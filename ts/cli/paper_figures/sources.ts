/** What a figure is drawn from: a run of the user, a checkpoint, or a list of norms; and what is known about each. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, join, parse } from 'node:path'
import { channelNormsOf, findRecords, type FoundRun } from '../../records/find'
import { parseNormList } from '../../records/norms'
import type { RunRecord } from '../../records/record'
import { factsText } from '../../report/format'
import { conditions } from '../../tables/shared/facts'
import { methodText } from '../../tables/shared/table'

/** One network of a figure. */
export interface Source {
  /** `En2ResNet20 RGSM λ1 = 0.05`, or what `--labels` says; null: the architecture of the checkpoint is asked first. */
  readonly label: string | null
  /** Path of the weights; null for lists and for runs that kept none. */
  readonly model: string | null
  readonly norms: readonly number[] | null
  readonly record: RunRecord | null
  /** What a caption says about a file that is no run; null for a run. */
  readonly file: string | null
}

export function sourceOfRun(run: FoundRun, label?: string): Source {
  const { record, folder } = run
  const model = join(folder, 'model.safetensors')
  return {
    label: label ?? `${record.network} ${methodText(record)}`,
    model: existsSync(model) ? model : null,
    norms: channelNormsOf([run])[record.hash] ?? null,
    record,
    file: null,
  }
}

/** A folder of a run, a checkpoint, or a list of norms (.txt). */
export function sourceOfPath(path: string, label?: string): Source {
  if (!existsSync(path))
    throw new Error(`Expected a run folder, a checkpoint or a list of norms at \`${path}\`, got nothing`)
  if (statSync(path).isDirectory()) {
    const { runs } = findRecords(path)
    if (runs.length === 1) return sourceOfRun(runs[0]!, label)
    const model = join(path, 'model.safetensors')
    if (runs.length === 0 && existsSync(model)) return sourceOfPath(model, label ?? basename(path))
    throw new Error(`Expected \`${path}\` to hold one finished run, found ${runs.length}`)
  }
  const bytes = readFileSync(path)
  const file = `${basename(path)} (SHA-256 ${createHash('sha256').update(bytes).digest('hex').slice(0, 12)})`
  const rest = { model: null, norms: null, record: null, file }
  if (parse(path).ext !== '.txt') return { ...rest, label: label ?? null, model: path }
  const norms = parseNormList(bytes.toString('utf8'), path).flatMap((layer) => layer.norms)
  return { ...rest, label: label ?? parse(path).name, norms }
}

/** The path of the weights, or one sentence that says which run has none. */
export function modelOf({ model, label, record, file }: Source): string {
  if (model !== null) return model
  const what = record === null ? (file ?? label) : `the folder of run ${record.hash} (${label}, seed ${record.seed})`
  throw new Error(`Expected ${what} to hold weights (model.safetensors or a checkpoint), got none`)
}

const told = ['data', 'seeds', 'test images', 'epochs', 'hardware']

/** Data, seeds, n and hardware of the runs, and the names of files about which nothing of this is known. */
export function captionOf(records: readonly RunRecord[], files: readonly string[]): string[] {
  const presets = [...new Set(records.map(({ preset }) => preset))].join(', ')
  const facts = conditions(records).filter(({ label }) => told.includes(label))
  return [
    ...(records.length === 0 ? [] : [factsText([{ label: 'preset', value: presets }, ...facts])]),
    ...(files.length === 0 ? [] : [`${files.join(', ')}; without a record of data, seed and hardware`]),
  ]
}
