import table from '../../ts/tables/sparsity_meets_robustness_table_2'
import { niceCeiling } from '../../ts/report/svg'
import { toHtml } from '../../ts/report/html'
import type { EpochMetrics } from '../../ts/records/metrics'
import type { RunRecord } from '../../ts/records/record'
import { fakeRecord, quickRecords, smokeRecords } from '../records/fake'

const empty = new Set(['meta', 'br', 'hr', 'img', 'input', 'link'])

/** Fails for a tag that is not closed or closed twice, a raw `<`, or an id that is used twice; returns the tags seen. */
function checkMarkup(html: string): string[] {
  const open: string[] = []
  const seen: string[] = []
  const body = html.replace(/^<!doctype html>\n/, '').replace(/<style>[^<]*<\/style>/, '')
  for (const [, text = '', close, name = '', attributes = ''] of body.matchAll(
    /([^<]*)(?:<(\/?)([a-z][a-z0-9]*)((?: [\w-]+="[^"<]*")*)>|<)/gi,
  )) {
    if (name === '') throw new Error(`a raw < after ${text.slice(-60)}`)
    if (/&(?!(amp|lt|gt|quot|#39);)/.test(text + attributes)) throw new Error(`a raw & in ${text}${attributes}`)
    if (close === '') seen.push(name)
    if (close === '' && !empty.has(name)) open.push(name)
    if (close === '/' && open.pop() !== name) throw new Error(`</${name}> closes something else`)
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(', ')}`)
  const ids = [...html.matchAll(/ id="([^"]*)"/g)].map((match) => match[1])
  if (new Set(ids).size !== ids.length) throw new Error('an id is used twice')
  return seen
}

/** What a page lacks; prints better than the whole page. */
const missingFrom = (page: string, ...words: string[]): string[] => words.filter((word) => !page.includes(word))

const metrics = (records: RunRecord[]): Record<string, EpochMetrics[]> =>
  Object.fromEntries(
    records.map(({ hash, epochs }) => [
      hash,
      Array.from({ length: epochs }, (_, i) => ({
        epoch: i + 1,
        loss: 2 / (i + 1),
        trainAccuracy: 1 - 1 / (i + 2),
        inputChannels: { zero: i, total: 225 },
      })),
    ]),
  )

const norms = (records: RunRecord[]): Record<string, number[]> =>
  Object.fromEntries(records.map(({ hash }) => [hash, Array.from({ length: 225 }, (_, i) => (i < 69 ? 0 : i / 250))]))

const smoke = smokeRecords()
const page = toHtml(table.build(smoke, 'smoke'), {
  metrics: metrics(smoke),
  channelNorms: norms(smoke),
  command: 'npm run reproduce -- --preset smoke',
})

test('the checker itself sees broken markup', () => {
  expect(() => checkMarkup('<p><b>x</p></b>')).toThrow('</p> closes something else')
  expect(() => checkMarkup('<p>1 < 2</p>')).toThrow('a raw <')
  expect(() => checkMarkup('<p>a & b</p>')).toThrow('a raw &')
  expect(() => checkMarkup('<p>')).toThrow('not closed: p')
})

test('the page is well formed with a full, a partial and an empty table', () => {
  expect(checkMarkup(page)).toEqual(expect.arrayContaining(['table', 'svg', 'figure', 'figcaption', 'dl', 'pre']))
  const quick = quickRecords()
  checkMarkup(toHtml(table.build(quick, 'quick'), { metrics: metrics(quick) }))
  checkMarkup(toHtml(table.build([], 'paper')))
})

test('nothing is loaded from elsewhere and nothing runs', () => {
  expect(/https?:|\/\/[a-z]|<script|<link|<iframe| src=| srcset=|url\(|@import| on[a-z]+=/i.exec(page)).toBeNull()
  expect([...page.matchAll(/ href="([^"]*)"/g)].every((match) => match[1]?.startsWith('#note-'))).toBe(true)
  expect(missingFrom(page, '@media (prefers-color-scheme: dark)')).toEqual([])
})

test('every link leads to a note', () => {
  const targets = [...page.matchAll(/ href="#([^"]*)"/g)].map((match) => match[1])
  expect(targets.length).toBeGreaterThan(5)
  for (const target of targets) expect(missingFrom(page, ` id="${target}"`)).toEqual([])
})

test('one figure a row for training and one for channel norms, none without data', () => {
  expect(page.match(/<figure>/g)).toHaveLength(8)
  expect(missingFrom(page, '69 of 225 channels are zero')).toEqual([])
  expect(page.includes('√(2λ1/β) = 0.316')).toBe(true)
  expect(toHtml(table.build(smoke, 'smoke')).includes('<figure>')).toBe(false)
})

test('a run of one epoch and a row of several seeds are drawn without NaN', () => {
  const quick = quickRecords().map((record) => ({ ...record, epochs: 1, selectedEpoch: 1 }))
  const html = toHtml(table.build(quick, 'quick'), {
    metrics: metrics(quick),
    channelNorms: { [quick[0]?.hash ?? '']: [0, 0] },
  })
  checkMarkup(html)
  expect(/NaN|Infinity|undefined/.exec(html)).toBeNull()
})

test('measured and published values, intervals and conditions are on the page', () => {
  for (const words of [
    '78.6',
    '[76.0, 81.0]',
    '76.07',
    '69 of 225',
    'torch 2.13.0+cpu',
    'Example CPU',
    '58724da01234',
    'npm run reproduce -- --preset smoke',
  ]) {
    expect(missingFrom(page, words)).toEqual([])
  }
})

test('what a record or a caller says is text, never markup', () => {
  const evil = `<img src=x onerror=alert(1)>"'&`
  const record = fakeRecord({
    network: 'ResNet8',
    lambda1: null,
    numbers: [786, 726, 699, 741, 0],
    data: { title: evil },
    notes: [evil],
  })
  const poisoned: RunRecord = {
    ...record,
    experiment: evil,
    commit: evil,
    epsilon: { value: 0.1, notation: evil },
    hardware: { ...record.hardware, cpu: evil, device: evil },
    versions: { feynkac: evil, torch: evil, python: evil, node: evil },
  }
  const html = toHtml(table.build([poisoned], 'smoke'), { command: evil })
  checkMarkup(html)
  expect(html.includes('<img')).toBe(false)
  expect(missingFrom(html, '&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;')).toEqual([])
})

test('axis ends', () => {
  expect([0, 0.3, 0.9, 1, 1.2, 2.3, 4, 7, 2000].map(niceCeiling)).toEqual([1, 0.5, 1, 1, 2, 2.5, 5, 10, 2000])
})
