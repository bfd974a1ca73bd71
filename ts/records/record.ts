/**
 * The record of one run: measured facts only, never published numbers. Fractions are kept as counts, so that every
 * accuracy has its interval and every sparsity its denominator; "%" exists only in the renderers.
 */
import {
  amount,
  anyText,
  dictionary,
  exactly,
  finite,
  flag,
  integer,
  list,
  nullable,
  plainObject,
  RecordError,
  refuse,
  shape,
  text,
  type Check,
} from './check'

export const SCHEMA = 1

/** Images classified correctly out of `n`; a mean over noise draws, hence possibly fractional, when draws > 1. */
export interface Count {
  correct: number
  n: number
}

/** Exactly zero entries (weights or channels) out of `total`. */
export interface Zeros {
  zero: number
  total: number
}

/** Hyper-parameters of the splitting method, by the symbols of paper A; null where a method has no such parameter. */
export interface Hyper {
  beta: number | null
  lambda: number | null
  lambda1: number | null
  lambda2: number | null
}

/** The images of a run; `official` is true only when the checksum is that of the published release. */
export interface RecordedData {
  name: string
  title: string
  trainN: number
  validationN: number
  testN: number
  official: boolean
  checksum: string
}

/** The record of one run: what was trained and attacked, on what, by what, and every count that was measured. */
export interface RunRecord {
  schema: typeof SCHEMA
  experiment: string
  /** First 16 hex digits of the SHA-256 of the canonical configuration: the name of the run folder. */
  hash: string
  /** Name of the table the run was made for, e.g. `sparsity-meets-robustness/table-2`. */
  table: string | null
  preset: string
  /** As papers print it: `ResNet20`, `En2ResNet20`. */
  network: string
  /** `AT` (dense), `RVSM`, `RGSM`, … */
  method: string
  hyper: Hyper
  data: RecordedData
  seed: number
  /** Radius for images in [0, 1], and the notation it was asked for in (`0.031`, `8/255`). */
  epsilon: { value: number; notation: string }
  config: Record<string, unknown>
  /** `attacks` by key: `fgsm`, `ifgsm20`, `cw_paper`, …; `draws` noise draws were averaged for each prediction. */
  measured: { natural: Count; attacks: Record<string, Count>; draws: number }
  sparsity: { convWeights: Zeros; inputChannels: Zeros; inputChannelsWithoutDownsample: Zeros; parameters: Zeros }
  parameters: number
  /** Epoch (from 1) whose weights were evaluated; 0 when nothing was trained. */
  selectedEpoch: number
  epochs: number
  seconds: { train: number; evaluate: number }
  versions: { feynkac: string; torch: string; python: string; node: string }
  hardware: { device: string; cpu: string; threads: number }
  commit: string | null
  /** ISO 8601. */
  date: string
  notes: string[]
}

const count = shape<Count>({ correct: amount, n: integer(1) })
const zeros = shape<Zeros>({ zero: integer(0), total: integer(1) })
const hash: Check<string> = (value, at) =>
  typeof value === 'string' && /^[0-9a-f]{16}$/.test(value) ? value : refuse(at, '16 lower-case hex digits', value)
const date: Check<string> = (value, at) =>
  typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(value) && !Number.isNaN(Date.parse(value))
    ? value
    : refuse(at, 'a date such as 2026-01-31T12:00:00.000Z', value)

const runRecord = shape<RunRecord>({
  schema: exactly(SCHEMA),
  experiment: text,
  hash,
  table: nullable(text),
  preset: text,
  network: text,
  method: text,
  hyper: shape<Hyper>({
    beta: nullable(finite),
    lambda: nullable(finite),
    lambda1: nullable(finite),
    lambda2: nullable(finite),
  }),
  data: shape<RecordedData>({
    name: text,
    title: text,
    trainN: integer(0),
    validationN: integer(0),
    testN: integer(1),
    official: flag,
    checksum: anyText,
  }),
  seed: integer(0),
  epsilon: shape({ value: amount, notation: text }),
  config: plainObject,
  measured: shape({ natural: count, attacks: dictionary(count), draws: integer(1) }),
  sparsity: shape({
    convWeights: zeros,
    inputChannels: zeros,
    inputChannelsWithoutDownsample: zeros,
    parameters: zeros,
  }),
  parameters: integer(1),
  selectedEpoch: integer(0),
  epochs: integer(0),
  seconds: shape({ train: amount, evaluate: amount }),
  versions: shape({ feynkac: text, torch: text, python: text, node: text }),
  hardware: shape({ device: text, cpu: anyText, threads: integer(1) }),
  commit: nullable(text),
  date,
  notes: list(anyText),
})

/**
 * Validates a record, given as JSON text or as the parsed value.
 * Throws {@link RecordError} with one sentence that names the field; `where` (a file name) opens the path printed.
 */
export function parseRecord(json: unknown, where = 'record'): RunRecord {
  const value = typeof json === 'string' ? parseJson(json, where) : json
  const schema = plainObject(value, where).schema
  if (typeof schema === 'number' && schema > SCHEMA) {
    throw new RecordError(
      `Expected \`${where}.schema\` to be at most ${SCHEMA}, got ${schema}: written by a newer feynkac`,
    )
  }
  const record = runRecord(value, where)
  const { natural, attacks, draws } = record.measured
  for (const [key, { correct, n }] of [['natural', natural] as const, ...Object.entries(attacks)]) {
    const at = `${where}.measured${key === 'natural' ? '' : '.attacks'}.${key}.correct`
    if (correct > n) throw new RecordError(`Expected \`${at}\` to be at most n = ${n}, got ${correct}`)
    if (draws === 1 && !Number.isInteger(correct)) {
      throw new RecordError(`Expected \`${at}\` to be an integer for a single draw, got ${correct}`)
    }
  }
  for (const [key, { zero, total }] of Object.entries(record.sparsity)) {
    if (zero <= total) continue
    throw new RecordError(`Expected \`${where}.sparsity.${key}.zero\` to be at most total = ${total}, got ${zero}`)
  }
  if (record.selectedEpoch > record.epochs) {
    throw new RecordError(
      `Expected \`${where}.selectedEpoch\` to be at most epochs = ${record.epochs}, got ${record.selectedEpoch}`,
    )
  }
  return record
}

export function parseJson(json: string, where: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw new RecordError(`Expected \`${where}\` to hold JSON, got ${json.length} characters that are not`, { cause })
  }
}
