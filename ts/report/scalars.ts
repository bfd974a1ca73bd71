/** The numbers of a run as TensorBoard draws them: one tag a number of an epoch, and the tested accuracies at the chosen epoch. */
import type { EpochMetrics } from '../records/metrics'
import type { RunRecord } from '../records/record'
import type { LoggedScalar } from './tensorboard'

/**
 * `train/loss`, `sparsity/inputChannels`, `validation/robust`, `test/fgsm`, …: any finite number of an epoch, counts as
 * fractions. `start` is when the run began (seconds since 1970); epochs follow by their own `seconds`.
 */
export function scalarsOf(metrics: readonly EpochMetrics[], record: RunRecord | null, start: number): LoggedScalar[] {
  const scalars: LoggedScalar[] = []
  let time = start
  for (const line of metrics) {
    const fields = Object.entries(line).filter(([name]) => name !== 'epoch')
    const seconds: unknown = (line as { seconds?: unknown }).seconds
    if (typeof seconds === 'number' && Number.isFinite(seconds)) time += seconds
    for (const [name, value] of fields) {
      for (const [tag, number] of numbersOf(name, value)) scalars.push({ tag, step: line.epoch, value: number, time })
    }
  }
  if (record === null) return scalars
  const { natural, attacks } = record.measured
  const tested = Object.entries({ natural, ...attacks }).map(([name, { correct, n }]): LoggedScalar => {
    return { tag: `test/${name}`, step: record.selectedEpoch, value: correct / n, time: Date.parse(record.date) / 1000 }
  })
  return [...scalars, ...tested]
}

/** A number, a count (`{ zero, total }`, `{ correct, n }`), or an object of such. */
function numbersOf(name: string, value: unknown, group = 'train'): [tag: string, value: number][] {
  if (typeof value === 'number') return Number.isFinite(value) ? [[`${group}/${name}`, value]] : []
  if (typeof value !== 'object' || value === null) return []
  const { zero, total, correct, n } = value as Record<string, unknown>
  if (typeof zero === 'number' && typeof total === 'number' && total > 0) return [[`sparsity/${name}`, zero / total]]
  if (typeof correct === 'number' && typeof n === 'number' && n > 0) return [[`${group}/${name}`, correct / n]]
  return Object.entries(value).flatMap(([inner, each]) => numbersOf(inner, each, name))
}
