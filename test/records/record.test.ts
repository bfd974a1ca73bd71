import { parseRecord } from '../../ts/records/record'
import { fakeRecord, smokeRecords } from './fake'

const good = () => fakeRecord({ network: 'ResNet8', lambda1: 0.05, numbers: [783, 722, 703, 738, 69] })

/** The record with the value at a dotted path replaced. */
function broken(path: string, value: unknown): unknown {
  const record = JSON.parse(JSON.stringify(good())) as Record<string, unknown>
  const keys = path.split('.')
  const last = keys.pop() ?? ''
  const parent = keys.reduce((object, key) => object[key] as Record<string, unknown>, record)
  if (value === undefined) delete parent[last]
  else parent[last] = value
  return record
}

test('a record survives JSON unchanged', () => {
  for (const record of smokeRecords()) expect(parseRecord(JSON.stringify(record))).toEqual(record)
})

test.each([
  ['measured.natural.n', 0, 'Expected `record.measured.natural.n` to be an integer of at least 1, got `0` (number)'],
  ['measured.natural.correct', 1001, 'Expected `record.measured.natural.correct` to be at most n = 1000, got 1001'],
  [
    'measured.natural.correct',
    1.5,
    'Expected `record.measured.natural.correct` to be an integer for a single draw, got 1.5',
  ],
  ['measured.attacks.fgsm', 0.7, 'Expected `record.measured.attacks.fgsm` to be an object, got `0.7` (number)'],
  [
    'measured.attacks.fgsm.correct',
    2000,
    'Expected `record.measured.attacks.fgsm.correct` to be at most n = 1000, got 2000',
  ],
  [
    'sparsity.inputChannels.zero',
    226,
    'Expected `record.sparsity.inputChannels.zero` to be at most total = 225, got 226',
  ],
  ['selectedEpoch', 9, 'Expected `record.selectedEpoch` to be at most epochs = 8, got 9'],
  ['seed', '0', 'Expected `record.seed` to be an integer of at least 0, got `0` (string)'],
  ['network', undefined, 'Expected `record.network` to be a non-empty string, got nothing'],
  ['hash', 'XYZ', 'Expected `record.hash` to be 16 lower-case hex digits, got `XYZ` (string)'],
  [
    'date',
    'yesterday',
    'Expected `record.date` to be a date such as 2026-01-31T12:00:00.000Z, got `yesterday` (string)',
  ],
  ['hyper.lambda1', 'x', 'Expected `record.hyper.lambda1` to be a finite number, got `x` (string)'],
  ['notes', [1], 'Expected `record.notes[0]` to be a string, got `1` (number)'],
  ['schema', 2, 'Expected `record.schema` to be at most 1, got 2: written by a newer feynkac'],
  ['schema', 0, 'Expected `record.schema` to be `1`, got `0` (number)'],
  ['data.official', 1, 'Expected `record.data.official` to be true or false, got `1` (number)'],
])('%s = %j is refused in one sentence', (path, value, message) => {
  expect(() => parseRecord(broken(path, value))).toThrow(new Error(message))
})

test('an unknown field is refused and the known ones are listed', () => {
  expect(() => parseRecord(broken('accuracy', 0.78))).toThrow(
    /have the fields schema, experiment, .*, notes, got an unknown `accuracy`/,
  )
})

test('several draws may give a fractional count', () => {
  const record = good()
  record.measured.draws = 10
  record.measured.natural.correct = 783.4
  expect(parseRecord(record).measured.natural.correct).toBe(783.4)
})

test('text that is not JSON names the file', () => {
  expect(() => parseRecord('{"schema": 1', 'runs/a/b/record.json')).toThrow(
    'Expected `runs/a/b/record.json` to hold JSON, got 12 characters that are not',
  )
})
