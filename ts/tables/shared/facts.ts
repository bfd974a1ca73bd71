/** The conditions line under a table: every number carries its n, seeds, data, attack, machine and versions. */
import type { RunRecord } from '../../records/record'
import type { Fact } from './table'

export function conditions(records: readonly RunRecord[]): Fact[] {
  if (records.length === 0) return []
  const each = (label: string, read: (record: RunRecord) => string | null): Fact[] => {
    const values = [...new Set(records.map(read))].filter((value) => value !== null)
    return values.length === 0 ? [] : [{ label, value: values.join('; ') }]
  }
  return [
    ...each('data', dataText),
    { label: 'seeds', value: seedText(records) },
    ...each('epsilon', ({ epsilon }) => epsilon.notation),
    ...each('test images', ({ measured }) => number(measured.natural.n)),
    ...each('noise draws per prediction', ({ measured }) => String(measured.draws)),
    ...each('evaluation batch', ({ config }) => evaluationBatch(config)),
    ...each('epochs', ({ epochs }) => String(epochs)),
    ...each('hardware', hardwareText),
    ...each('versions', versionsText),
    ...each('commit', ({ commit }) => commit?.slice(0, 12) ?? null),
    { label: 'compute', value: secondsText(records) },
    ...each('date', ({ date }) => date.slice(0, 10)),
  ]
}

function dataText({ data }: RunRecord): string {
  const split = `${number(data.trainN)} train, ${number(data.validationN)} validation, ${number(data.testN)} test`
  return `${data.title} (${split}; ${data.official ? 'official release' : 'not an official release'})`
}

export function hardwareText({ hardware }: RunRecord): string {
  const threads = `${hardware.threads} thread${hardware.threads === 1 ? '' : 's'}`
  const device = hardware.device === 'cpu' ? '' : `${hardware.device}, `
  return `${device}${hardware.cpu === '' ? 'unknown CPU' : hardware.cpu}, ${threads}`
}

export function versionsText({ versions }: RunRecord): string {
  return `feynkac ${versions.feynkac}, torch ${versions.torch}, Python ${versions.python}, Node ${versions.node}`
}

/** The noise of an ensemble has the standard deviation of the whole batch, so the batch size belongs to the result. */
function evaluationBatch(config: Record<string, unknown>): string | null {
  const { batch } = (config['evaluation'] ?? {}) as { batch?: unknown }
  return typeof batch === 'number' ? String(batch) : null
}

function seedText(records: readonly RunRecord[]): string {
  return [...new Set(records.map((record) => record.seed))].sort((a, b) => a - b).join(', ')
}

function secondsText(records: readonly RunRecord[]): string {
  const train = records.reduce((sum, { seconds }) => sum + seconds.train, 0)
  const evaluate = records.reduce((sum, { seconds }) => sum + seconds.evaluate, 0)
  return `training ${durationText(train)}, evaluation ${durationText(evaluate)}, all rows together`
}

export function durationText(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}

const number = (n: number): string => n.toLocaleString('en-US')
