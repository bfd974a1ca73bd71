/** Figures: their data, and that they are drawn. Looked at in a browser, light and dark, when they were made. */
import { networkOrder } from '../../ts/report/figure_style'
import { figuresOf } from '../../ts/report/figures'
import { toPng, toSvg } from '../../ts/report/render'
import type { EpochMetrics } from '../../ts/records/metrics'
import type { RunRecord } from '../../ts/records/record'
import table from '../../ts/tables/sparsity_meets_robustness_table_2'
import { quickRecords, smokeRecords } from '../records/fake'

const metrics = (records: readonly RunRecord[]): Record<string, EpochMetrics[]> =>
  Object.fromEntries(
    records.map(({ hash }) => [
      hash,
      [1, 2, 3].map((epoch) => ({ epoch, loss: 2 / epoch, trainAccuracy: 0.1 * epoch })),
    ]),
  )
const norms = (records: readonly RunRecord[]): Record<string, number[]> =>
  Object.fromEntries(records.map(({ hash }) => [hash, [0, 0, 1e-16, 0.25, 0.5, NaN]]))

const drawn = (records: RunRecord[], preset: string) =>
  figuresOf(table.build(records, preset), { metrics: metrics(records), channelNorms: norms(records) })
const smoke = drawn(smokeRecords(), 'smoke')

interface Panel {
  data: { values: Record<string, unknown>[] }
}
/** The values of a panel, or of its first layer. */
function valuesOf(figure: (typeof smoke)[number] | undefined, i: number): Record<string, unknown>[] {
  const panel = (figure?.spec as unknown as { concat: (Panel & { layer?: Panel[] })[] }).concat[i]
  return (panel?.layer?.[0] ?? panel)?.data.values ?? []
}

test('only figures with something to show', () => {
  expect(smoke.map(({ name }) => name)).toEqual(['channel-norms', 'lambda', 'training'])
  expect(figuresOf(table.build([], 'smoke'))).toEqual([])
  expect(figuresOf(table.build(smokeRecords().slice(0, 1), 'smoke'))).toEqual([])
})

test('error bars: the interval of a single run, one standard deviation over seeds', () => {
  const data = table.build(quickRecords(), 'quick')
  const [dense, pruned] = valuesOf(figuresOf(data)[0], 1)
  expect(dense).toMatchObject({
    network: 'ResNet20',
    lambda: 0,
    value: 0.7455,
    low: expect.closeTo(0.73687, 5) as number,
  })
  expect(pruned).toMatchObject({ lambda: 0.05, value: expect.closeTo(0.7433, 9) as number })
  expect(pruned?.['high']).toBeCloseTo(0.7433 + 0.0031, 9)
})

test('a norm below 1e-15 is a zero, and what is no number is left out', () => {
  const kinds = valuesOf(smoke[0], 0).map(({ kind }) => kind)
  expect(kinds).toEqual(['zero', 'zero', 'zero', 'not zero', 'not zero'])
})

test.each(smoke)('$name is drawn as SVG with a dark variant', async ({ name, spec }) => {
  const svg = await toSvg(spec)
  expect(svg).toMatch(/^<svg [^>]*><style>@media \(prefers-color-scheme:dark\)/)
  expect(svg).toContain({ 'channel-norms': '3 of 5 channels are zero', lambda: 'En2ResNet8', training: 'epoch' }[name])
  expect(/NaN|Infinity|undefined|https?:(?!\/\/www\.w3\.org\/)/.exec(svg)).toBeNull()
  expect(await toSvg(spec)).toBe(svg)
  expect(await toSvg(spec, 'light')).not.toContain('<style>')
})

test('a PNG is twice the size of the SVG', async () => {
  const spec = smoke[1]!.spec
  const [png, svg] = [await toPng(spec), await toSvg(spec)]
  const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg) ?? []
  expect(png.subarray(1, 4).toString()).toBe('PNG')
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([2 * Number(width), 2 * Number(height)])
})

test('names of a record are text in a figure', async () => {
  const records = smokeRecords().map((record) => ({ ...record, data: { ...record.data, title: '<b>&"' } }))
  const svg = await toSvg(drawn(records, 'smoke')[1]!.spec)
  expect(svg).toContain('&lt;b&gt;&amp;')
  expect(svg).not.toContain('<b>')
})

test('networks keep their order, and so their colours, in all figures', () => {
  expect(networkOrder(['ResNet38', 'En10ResNet20', 'En2ResNet20', 'ResNet20', 'ResNet38', 'ResNet8'])).toEqual([
    ...['ResNet8', 'ResNet20', 'ResNet38', 'En2ResNet20', 'En10ResNet20'],
  ])
})
