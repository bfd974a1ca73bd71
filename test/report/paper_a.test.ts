/** Figures 1 to 5 of paper A: their numbers, and that they are drawn. Looked at, light and dark, when they were made. */
import { inflateSync } from 'node:zlib'
import { evenEdges, histogramOf } from '../../ts/records/histogram'
import type { RunRecord } from '../../ts/records/record'
import { signedPng } from '../../ts/report/png'
import { accuracyFigure, sparsityFigure } from '../../ts/report/paper_a/lambda'
import { lambdaPoints, lambdaRuns } from '../../ts/report/paper_a/lambda_points'
import { layerFigure } from '../../ts/report/paper_a/layer'
import { normBars, normFigure, wholeRange } from '../../ts/report/paper_a/norms'
import { weightFigure } from '../../ts/report/paper_a/weights'
import { toSvg } from '../../ts/report/render'
import { cifar, fakeRecord, quickRecords, smokeRecords } from '../records/fake'

const weights = [-0.2, -0.05, -0.0005, 0.0004, 0.02, 0.02, 0.3]
const counts = { total: 8, zero: 1, small: 3, histogram: histogramOf(weights, evenEdges(-0.1, 0.1, 4)) }
const image = { width: 3, height: 2, levels: Uint8Array.from([1, 128, 255, 128, 64, 192]) }

const figures = {
  'figure 1': weightFigure([{ ...counts, title: '<b>NT', published: 0.0866 }], ['caption & more']),
  'figure 2': layerFigure([{ ...counts, title: 'AT', shape: [2, 3, 1, 1], zeroChannels: 1, image }], {
    title: 'Weights of layer3.1.conv2',
    caption: ['seeds: 0'],
    limit: 0.1,
  }),
  'figure 3': sparsityFigure(lambdaRuns(smokeRecords(), 'smoke').used, ['seeds: 0']),
  'figure 4': accuracyFigure(lambdaRuns(quickRecords(), 'quick').used, ['seeds: 0, 1, 2']),
  'figure 5': normFigure([{ title: 'RGSM', norms: [0, 0, 3e-8, 0.4, 1.5] }], []),
}
const words = {
  'figure 1': ['&lt;b&gt;NT', '37.50 % of 8 weights have |w| &lt; 0.001; published 8.66 %', 'caption &amp; more'],
  'figure 2': [
    '(a) AT',
    '2 × 3 × 1 × 1 weights, 1 of 3 input channels zero',
    'data:image/png;base64,',
    'layer3.1.conv2',
  ],
  'figure 3': ['Channel sparsity', 'En2ResNet8', 'Points of one run have no spread.'],
  'figure 4': ['Natural', 'FGSM', 'IFGSM20', 'C&amp;W (cw_paper)', 'one standard deviation'],
  'figure 5': ['2 of 5 channels are zero (40.00 %)', '1 nonzero up to 2e-7', '2 zero'],
}

test.each(Object.keys(figures) as (keyof typeof figures)[])('%s is drawn, with a dark variant', async (name) => {
  const svg = await toSvg(figures[name]!)
  expect(words[name].filter((word) => !svg.includes(word))).toEqual([])
  expect(svg).toContain('prefers-color-scheme:dark')
  expect(svg).not.toContain('<b>')
  expect(/NaN|Infinity|undefined|https?:(?!\/\/www\.w3\.org\/)/.exec(svg)).toBeNull()
})

test('a caption is broken, and the drawing no wider than its panels need', async () => {
  const long = 'a rather long caption of many words '.repeat(12).trim()
  const svg = await toSvg(weightFigure([{ ...counts, title: 'NT', published: null }], [long]))
  const lines = svg.match(/>a rather[^<]*<|>[^<]*many words[^<]*</g) ?? []
  expect(lines.length).toBeGreaterThan(3)
  expect(Number(/width="(\d+)"/.exec(svg)?.[1])).toBeLessThan(900)
})

describe('against lambda1', () => {
  test('means and standard deviations over seeds; a single run has its Wilson interval', () => {
    const { used } = lambdaRuns(quickRecords(), 'quick')
    const [dense, pruned] = lambdaPoints(used, 'natural')
    expect(dense).toMatchObject({ network: 'ResNet20', lambda: 0, value: 0.7455 })
    expect(dense!.low).toBeCloseTo(0.73687, 5)
    expect(pruned!.perSeed).toEqual([0.7402, 0.7433, 0.7464])
    expect(pruned!.high - pruned!.value).toBeCloseTo(0.0031, 9)
    expect(lambdaPoints(used, 'channels')[0]).toMatchObject({ low: 0, high: 0 })
    // the dense run has not measured it
    expect(lambdaPoints(used, 'fgsm').map(({ lambda }) => lambda)).toEqual([0.05])
  })

  test('other presets, other methods and networks with one lambda1 stay out', () => {
    const alone = fakeRecord({
      network: 'ResNet38',
      lambda1: null,
      numbers: [9, 8, 7, 6, 0],
      preset: 'quick',
      data: cifar,
    })
    const rvsm: RunRecord = { ...quickRecords()[0]!, method: 'RVSM', seed: 5 }
    const records = [...quickRecords(), ...smokeRecords(), alone, rvsm]
    const networks = (names?: string[]): string[] => [
      ...new Set(lambdaRuns(records, 'quick', names).used.map(({ network }) => network)),
    ]
    expect(networks()).toEqual(['ResNet20'])
    expect(networks(['ResNet38', 'ResNet20'])).toHaveLength(2)
    expect(lambdaRuns(records, 'quick').used).toHaveLength(4)
    expect(sparsityFigure([alone], [])).toBeNull()
  })
})

test('zeros have a bar of their own, the others one a bin', () => {
  const bars = normBars([0, 9e-16, 1e-15, 2.5e-8, 2.6e-8, 0.5], { bins: 20, high: 2e-7 })
  expect(bars.map(({ count, kind }) => [count, kind])).toEqual([
    [1, 'not zero'],
    [2, 'not zero'],
    [2, 'zero'],
  ])
  expect(bars[1]!.from).toBeCloseTo(2e-8, 12)
  expect([wholeRange([0.1, 0.9]), wholeRange([0.1, 1.7])]).toEqual([1, 2])
})

test('a picture is a PNG whose palette has no colour at zero and the full one at the ends', () => {
  const file = Buffer.from(signedPng(image, 2).split(',')[1]!, 'base64')
  const chunk = (type: string): Buffer => {
    const at = file.indexOf(type, 0, 'latin1')
    return file.subarray(at + 4, at + 4 + file.readUInt32BE(at - 4))
  }
  expect([chunk('IHDR').readUInt32BE(0), chunk('IHDR').readUInt32BE(4)]).toEqual([6, 4])
  expect([1, 128, 255].map((level) => chunk('tRNS')[level])).toEqual([255, 0, 255])
  expect(chunk('PLTE')).toHaveLength(768)
  const row = [0, 1, 1, 128, 128, 255, 255]
  expect([...inflateSync(chunk('IDAT')).subarray(0, 14)]).toEqual([...row, ...row])
})
