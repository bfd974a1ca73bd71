import table from '../../ts/tables/sparsity_meets_robustness_table_2'
import { toJson } from '../../ts/report/json'
import { quickRecords, rgsm, smokeRecords } from '../records/fake'

test('the JSON of reproduce has exactly the promised fields', () => {
  const json = toJson(table.build(smokeRecords(), 'smoke'), 'runs/report.html')
  expect(JSON.parse(JSON.stringify(json))).toEqual(json)
  expect(Object.keys(json)).toEqual(['table', 'preset', 'data', 'rows', 'missing', 'reportPath'])
  expect(json).toMatchObject({
    table: 'sparsity-meets-robustness/table-2',
    preset: 'smoke',
    data: 'fashion_mnist_subset',
    missing: [],
    reportPath: 'runs/report.html',
  })
  expect(json.rows).toHaveLength(4)
  expect(json.rows[3]).toEqual({
    network: 'En2ResNet8',
    method: 'RGSM',
    hyper: { beta: 1, lambda: null, lambda1: 0.05, lambda2: 1e-5 },
    natural: 0.789,
    fgsm: 0.707,
    ifgsm20: 0.69,
    cw: 0.793,
    weightSparsity: 23200 / 152000,
    inputChannelSparsity: 232 / 450,
    n: 1000,
    seeds: [0],
    published: {
      paper: 'A',
      table: 'A-2',
      dataset: 'CIFAR10',
      network: 'En2ResNet20',
      method: 'RGSM',
      hyper: { beta: 1, lambda: null, lambda1: 0.05, lambda2: 1e-5 },
      natural: 0.7828,
      fgsm: 0.5653,
      ifgsm20: 0.4958,
      cw: 0.6656,
      weightSparsity: null,
      channelSparsity: 0.4148,
      note: null,
    },
  })
})

test('missing numbers are null and listed', () => {
  const json = toJson(table.build(quickRecords(), 'quick'), null)
  expect(json.rows[0]).toMatchObject({ natural: 0.7455, fgsm: null, seeds: [0], n: 10000 })
  expect(json.rows[1]).toMatchObject({ natural: expect.closeTo(0.7433, 10) as number, seeds: [0, 1, 2] })
  expect(json.rows[2]).toMatchObject({ natural: null, cw: null, inputChannelSparsity: null, n: null, seeds: [] })
  expect(json.missing[1]).toEqual({
    network: 'ResNet20',
    method: 'RGSM',
    hyper: rgsm(0.1),
    columns: ['natural', 'fgsm', 'ifgsm20', 'cw', 'inputChannelSparsity', 'weightSparsity'],
  })
})
