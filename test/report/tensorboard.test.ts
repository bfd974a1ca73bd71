import { createHash } from 'node:crypto'
import { crc32c, toEventFile } from '../../ts/report/tensorboard'
import { scalarsOf } from '../../ts/report/scalars'
import type { EpochMetrics } from '../../ts/records/metrics'
import { smokeRecords } from '../records/fake'

// RFC 3720, appendix B.4, and the check value of the catalogue of CRC algorithms.
test.each([
  ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
  ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['ascending', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  ['123456789', Buffer.from('123456789'), 0xe3069283],
])('CRC-32C of %s', (_, data, crc) => {
  expect(crc32c(data)).toBe(crc)
})

/** Bytes by hand from the wire format: 3.5 s, `brain.Event:2`; then 4 s, step 300, tag `a/b`, 0.5. */
test('the messages are those of event.proto', () => {
  const file = toEventFile([{ tag: 'a/b', step: 300, value: 0.5, time: 4 }], 3.5)
  const first = `090000000000000c40${'1a0d'}${Buffer.from('brain.Event:2').toString('hex')}`
  const second = `090000000000001040${'10ac02'}${'2a0c0a0a'}${'0a03612f62'}${'150000003f'}`
  const hex = file.toString('hex')
  expect(hex.slice(0, 16)).toBe('1800000000000000')
  expect(hex.slice(24, 24 + first.length)).toBe(first)
  expect(hex.slice(24 + first.length + 8).slice(0, 16)).toBe('1a00000000000000')
  expect(hex.slice(24 + first.length + 8 + 24).slice(0, second.length)).toBe(second)
  expect(file.length).toBe(2 * 16 + (first.length + second.length) / 2)
})

/** Origin: read back by EventFileLoader of TensorBoard 2.21.0, which checks both checksums of a frame. */
test('a file that TensorBoard has read stays as it is', () => {
  const file = toEventFile(
    Array.from({ length: 50 }, (_, i) => ({ tag: 'train/loss', step: i + 1, value: 2 / (i + 1), time: 1e9 + i })),
    1e9,
  )
  expect(createHash('sha256').update(file).digest('hex')).toBe(
    '5827f457a026eef6ea1a58e72885678b4f0dd20e2f5117e2c1a17795c77ff4b5',
  )
})

test('numbers of epochs and counts as fractions', () => {
  const [record = null] = smokeRecords()
  const line = {
    epoch: 2,
    lr: 0.1,
    loss: NaN,
    seconds: 5,
    inputChannels: { zero: 3, total: 12 },
    validation: { natural: { correct: 1, n: 4 }, robust: null },
  }
  const at = { step: 2, time: 105 }
  expect(scalarsOf([line as EpochMetrics], null, 100)).toEqual([
    { tag: 'train/lr', value: 0.1, ...at },
    { tag: 'train/seconds', value: 5, ...at },
    { tag: 'sparsity/inputChannels', value: 0.25, ...at },
    { tag: 'validation/natural', value: 0.25, ...at },
  ])
  const tested = scalarsOf([], record, 0)
  expect(tested.map(({ tag, value }) => [tag, value])).toEqual([
    ['test/natural', 0.786],
    ['test/fgsm', 0.726],
    ['test/ifgsm20', 0.699],
    ['test/cw_paper', 0.741],
  ])
})
