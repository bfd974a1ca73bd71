import table from '../../ts/tables/sparsity_meets_robustness_table_2'
import type { RunRecord } from '../../ts/records/record'
import { cifar, dense, fakeRecord, quickRecords, rgsm, smokeRecords } from '../records/fake'

/** Table 2 of arXiv 2003.00631 in %, typed from the paper's table and not from the code: A1, A2, A3, A4, channel sparsity. */
const printed: [string, number | null, number, number, number, number, number][] = [
  ['ResNet20', null, 76.07, 51.24, 47.25, 59.3, 0],
  ['ResNet20', 5e-2, 75.91, 51.52, 47.14, 58.77, 8],
  ['ResNet20', 1e-1, 71.84, 48.23, 45.21, 57.09, 25.33],
  ['En2ResNet20', null, 80.34, 57.11, 50.02, 66.77, 0],
  ['En2ResNet20', 5e-2, 78.28, 56.53, 49.58, 66.56, 41.48],
  ['En2ResNet20', 1e-1, 75.87, 54.65, 47.77, 65.41, 56.74],
  ['En5ResNet20', null, 81.41, 58.21, 51.6, 66.48, 0],
  ['En5ResNet20', 1e-2, 81.46, 58.34, 51.35, 66.84, 19.76],
  ['En5ResNet20', 2e-2, 80.53, 57.38, 50.63, 66.52, 53.36],
]

const hundredths = (fraction: number | null): number => Math.round((fraction ?? NaN) * 1e4)

test('the published rows are those of the paper', () => {
  const ours = table.published.map((row) => [
    row.network,
    row.hyper.lambda1,
    ...[row.natural, row.fgsm, row.ifgsm20, row.cw, row.channelSparsity].map((value) => hundredths(value) / 100),
  ])
  expect(ours).toEqual(printed)
  for (const row of table.published) {
    expect(row).toMatchObject({ paper: 'A', table: 'A-2', dataset: 'CIFAR10', weightSparsity: null })
    expect(row.method).toBe(row.hyper.lambda1 === null ? 'AT' : 'RGSM')
    expect(row.hyper).toEqual(row.hyper.lambda1 === null ? dense : rgsm(row.hyper.lambda1))
  }
  const sums = table.published.map(
    (row) => hundredths(row.natural) + hundredths(row.fgsm) + hundredths(row.ifgsm20) + hundredths(row.cw),
  )
  // Sums of A1..A4 in hundredths of a percent, added by hand from the paper.
  expect(sums).toEqual([23386, 23334, 22237, 25424, 25095, 24370, 25770, 25799, 25506])
})

// 675 input channels of ResNet20 with stem and downsampling, times the members: every printed sparsity is a whole count.
test.each([
  ['ResNet20', 0.05, 54, 675],
  ['ResNet20', 0.1, 171, 675],
  ['En2ResNet20', 0.05, 560, 1350],
  ['En2ResNet20', 0.1, 766, 1350],
  ['En5ResNet20', 0.01, 667, 3375],
  ['En5ResNet20', 0.02, 1801, 3375],
])('%s at lambda1 = %d has %d of %d channels', (network, lambda1, zero, total) => {
  const row = table.published.find((each) => each.network === network && each.hyper.lambda1 === lambda1)
  expect(hundredths(zero / total)).toBe(hundredths(row?.channelSparsity ?? null))
})

test('rows of the presets', () => {
  const names = (preset: string): string[] => table.rows(preset).map((row) => `${row.network} ${row.hyper.lambda1}`)
  expect(names('smoke')).toEqual(['ResNet8 null', 'ResNet8 0.05', 'En2ResNet8 null', 'En2ResNet8 0.05'])
  expect(names('quick')).toHaveLength(6)
  expect(names('paper')).toEqual(printed.map(([network, lambda1]) => `${network} ${lambda1}`))
  expect(table.rows('smoke').map((row) => row.published?.network)).toEqual([
    'ResNet20',
    'ResNet20',
    'En2ResNet20',
    'En2ResNet20',
  ])
  expect(table.rows('paper').map((row) => row.published)).toEqual(table.published)
})

test('other data and another network: both numbers, no difference', () => {
  for (const row of table.build(smokeRecords(), 'smoke').rows) {
    expect(row.comparable).toBe(false)
    expect(row.publishedLabel).toMatch(/^CIFAR-10 (En2)?ResNet20 \(other network, other data\)$/)
    expect(row.cells.map((cell) => cell.difference)).toEqual([null, null, null, null, null, null])
    expect(row.cells[0]).toMatchObject({ measured: { seeds: 1, std: null }, published: row.published?.natural })
  }
})

test('official CIFAR-10 and the same network: a difference where both numbers exist', () => {
  const [baseline, pruned] = table.build(quickRecords(), 'quick').rows
  expect(baseline).toMatchObject({ comparable: true, publishedLabel: 'CIFAR-10 ResNet20' })
  expect(baseline?.cells.map((cell) => cell.difference)).toEqual([
    expect.closeTo(0.7455 - 0.7607, 10),
    null,
    expect.closeTo(0.465 - 0.4725, 10),
    expect.closeTo(0.579 - 0.593, 10),
    0,
    null,
  ])
  expect(baseline?.cells[1]).toEqual({ column: 'fgsm', measured: null, published: 0.5124, difference: null })
  expect(pruned).toMatchObject({ seeds: [0, 1, 2], n: 10000 })
  expect(pruned?.cells[0]?.measured).toMatchObject({
    seeds: 3,
    interval: null,
    partial: false,
    std: expect.closeTo(0.0031, 10) as number,
  })
  expect(pruned?.cells[3]?.measured).toMatchObject({ n: 500, partial: true })
})

test('a copy of CIFAR-10 that is not the official release gets no difference', () => {
  const records = quickRecords().map((record): RunRecord => ({ ...record, data: { ...record.data, official: false } }))
  const data = table.build(records, 'quick')
  expect(data.rows.every((row) => !row.comparable)).toBe(true)
  expect(data.rows[0]?.publishedLabel).toBe('CIFAR-10 ResNet20 (ours is no official copy of the data)')
  expect(data.footnotes.map(({ text }) => text).join()).toContain('does not have the checksum of the official release')
})

test('missing rows and cells are listed', () => {
  expect(
    table
      .build(quickRecords(), 'quick')
      .missing.map(({ network, hyper, columns }) => [network, hyper.lambda1, columns.length]),
  ).toEqual([
    ['ResNet20', null, 1],
    ['ResNet20', 0.1, 6],
    ['En2ResNet20', null, 6],
    ['En2ResNet20', 0.05, 6],
    ['En2ResNet20', 0.1, 6],
  ])
})

test('records of other presets and of the other published data set stay outside, those of other tables count', () => {
  const others = smokeRecords().map((record) => ({ ...record, table: 'enresnet/cifar10' }))
  expect(table.build(others, 'smoke').missing).toEqual([])
  expect(table.build(smokeRecords(), 'quick').missing).toHaveLength(6)
  const cifar100 = quickRecords().map((record) => ({ ...record, data: { ...record.data, name: 'cifar100' } }))
  expect(table.build(cifar100, 'quick').missing).toHaveLength(6)
})

test('runs of different configurations are not averaged: the newest counts, the others are named', () => {
  const numbers: [number, number, number, number, number] = [700, 600, 500, 650, 60]
  const row = { network: 'ResNet8', lambda1: 0.05, numbers }
  const older = fakeRecord({ ...row, epochs: 4, seed: 1, date: '2026-01-01T00:00:00.000Z' })
  const repeated = fakeRecord({ ...row, date: '2026-01-15T00:00:00.000Z' })
  const data = table.build([older, repeated, ...smokeRecords()], 'smoke')
  expect(data.rows[1]?.records).toEqual([smokeRecords()[1]])
  expect(data.leftOut).toEqual([
    `ResNet8 RGSM λ1 = 0.05, seed 0, ${repeated.hash} of 2026-01-15: a newer run of the same seed is used`,
    `ResNet8 RGSM λ1 = 0.05, seed 1, ${older.hash} of 2026-01-01: another configuration than ${smokeRecords()[1]?.hash}`,
  ])
})

test('runs on other machines and threads are averaged, and both are named', () => {
  const first = smokeRecords()[0] as RunRecord
  const second = fakeRecord({ network: 'ResNet8', lambda1: null, numbers: [796, 730, 700, 742, 0], seed: 1 })
  const other = { ...second, config: { ...second.config, threads: 2 }, hardware: { ...second.hardware, threads: 2 } }
  const data = table.build([first, other], 'smoke')
  expect(data.rows[0]?.seeds).toEqual([0, 1])
  expect(data.conditions.find(({ label }) => label === 'hardware')?.value).toMatch(/1 thread; .* 2 threads$/)
})

test('the notes a reader needs are there', () => {
  const smoke = table.build(smokeRecords(), 'smoke').footnotes
  const about = (words: string) => smoke.find(({ text }) => text.includes(words))
  expect(about('can exceed the natural accuracy')?.columns).toEqual(['cw'])
  expect(about('overstates the robustness')?.columns).toEqual(['fgsm', 'ifgsm20', 'cw'])
  expect(about('evaluation batch')).toBeDefined()
  expect(about('Measured on Fashion-MNIST subset, published on CIFAR-10')).toBeDefined()
  expect(about('Trained for 8 epochs on 5,400 images; the published rows for 200 epochs on 45,000')).toBeDefined()
  expect(about('The epoch with the best adversarial accuracy on images set aside')).toBeDefined()
  expect(smoke.map(({ mark }) => mark)).toEqual([...'abcdefghi'])
  const last = smokeRecords().map((record) => ({ ...record, config: { train: { validation: { selection: 'last' } } } }))
  expect(table.build(last, 'smoke').footnotes.map(({ text }) => text)).toContainEqual(
    expect.stringMatching(/^The last epoch is tested; /),
  )
  const jpeg = fakeRecord({
    network: 'ResNet8',
    lambda1: null,
    numbers: [1, 1, 1, 1, 0],
    notes: ['Images went through JPEG.'],
  })
  expect(table.build([jpeg], 'smoke').footnotes.at(-1)?.text).toBe('Images went through JPEG.')
})

test('every measured row has its conditions', () => {
  const labels = table.build(smokeRecords(), 'smoke').conditions.map(({ label }) => label)
  expect(labels).toEqual(
    expect.arrayContaining([
      'data',
      'seeds',
      'epsilon',
      'test images',
      'hardware',
      'versions',
      'commit',
      'compute',
      'date',
    ]),
  )
  expect(table.build([], 'smoke').conditions).toEqual([])
})

test('data sets are told apart by name, not by spelling', () => {
  const records = quickRecords().map((record): RunRecord => ({
    ...record,
    data: { ...record.data, ...cifar, name: 'CIFAR-10' },
  }))
  expect(table.build(records, 'quick').rows[0]?.comparable).toBe(true)
})
