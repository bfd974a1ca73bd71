/** The page of a checkpoint. Looked at in a browser, light, dark and narrow, when it was made. */
import { evenEdges, histogramOf } from '../../ts/records/histogram'
import { type CheckpointReport, toCheckpointHtml } from '../../ts/report/checkpoint'

const weights = { total: 100, zero: 40, small: 45, histogram: histogramOf([-0.05, 0.01, 0.2], evenEdges(-0.1, 0.1, 4)) }
const report: CheckpointReport = {
  title: 'ResNet<8>',
  source: 'net.pt, SHA-256 00',
  facts: [{ label: 'Members', value: '1' }],
  sparsity: [{ label: 'Input channels', zeros: { zero: 2, total: 4 }, note: 'paper A' }],
  layers: [
    {
      name: 'conv1.weight',
      shape: [4, 3, 3, 3],
      downsample: false,
      norms: [0, 0.5, 1.2],
      weights: { zero: 36, total: 108 },
    },
    { name: 'skip.weight', shape: [4, 1, 1, 1], downsample: true, norms: [0], weights: { zero: 4, total: 4 } },
  ],
  weights,
  picture: {
    layer: 'conv1',
    shape: [4, 3, 3, 3],
    limit: 0.1,
    image: { width: 1, height: 1, levels: Uint8Array.of(1) },
    weights,
  },
  command: 'npx feynkac inspect net.pt --report out',
}
const page = toCheckpointHtml(report)

test('says what was counted', () => {
  const words = [
    '2 of 4',
    '50.00\u00a0%',
    '2 of 4 channels are zero',
    '1 of 3',
    'dead',
    'skip path',
    '45.00\u00a0% have',
  ]
  expect(words.filter((word) => !page.includes(word))).toEqual([])
  expect(page.match(/class="dead"/g)).toHaveLength(1)
})

test('stands alone, and its texts are text', () => {
  expect(page).toContain('ResNet&lt;8&gt;')
  expect(page).not.toMatch(/<script|<link|ResNet<8>|NaN|undefined/)
  expect(/(?:src|href)="(?!data:)/.exec(page)).toBeNull()
  expect(page).toContain('prefers-color-scheme: dark')
})

test('a list of norms has neither weights nor a picture', () => {
  const layers = report.layers.map((layer) => ({ ...layer, shape: null, weights: null }))
  const list = toCheckpointHtml({ ...report, layers, weights: null, picture: null })
  expect(list).not.toMatch(/<img|Zero weights|<h2>Weights/)
  expect(list.match(/class="dead"/g)).toHaveLength(1)
})
