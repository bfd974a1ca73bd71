/** The look of figures: quiet axes, colours that differ for colour-blind readers too, a dark variant for pages that ask. */
import type { Config } from 'vega-lite'

/** Light colours and, in the same order, what each becomes on a dark page. */
export const palette = {
  page: '#ffffff',
  ink: '#21201d',
  soft: '#5f5c55',
  rule: '#ebe8e0',
  series: ['#1d5fa6', '#c4651a', '#2c7a4b', '#7d4ba0', '#b3372f', '#8a7a1f', '#3f8f9b', '#b0578d', '#6d6a62'],
} as const

const dark: Record<string, string> = {
  '#ffffff': '#16171a',
  '#21201d': '#e9e7e1',
  '#5f5c55': '#a9a69d',
  '#ebe8e0': '#2b2e33',
  '#1d5fa6': '#82b8f2',
  '#c4651a': '#f0a468',
  '#2c7a4b': '#75c796',
  '#7d4ba0': '#c49be6',
  '#b3372f': '#f08a80',
  '#8a7a1f': '#d6c565',
  '#3f8f9b': '#7fd0dc',
  '#b0578d': '#eb9ccb',
  '#6d6a62': '#b9b6ad',
}

/** The colours of series, in their order. */
export const seriesScale = (names: readonly string[]): { domain: readonly string[]; range: readonly string[] } => ({
  domain: names,
  range: palette.series.slice(0, names.length),
})

/** Each network once, single networks first and ensembles by their members, so that figures of one table share colours. */
export function networkOrder(names: readonly string[]): string[] {
  const members = (name: string): number => Number(/^En(\d+)/.exec(name)?.[1] ?? 0)
  return [...new Set(names)].sort((a, b) => members(a) - members(b) || a.localeCompare(b, 'en', { numeric: true }))
}

const font = 'Helvetica Neue, Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif'

export const config: Config = {
  background: palette.page,
  font,
  padding: 12,
  view: { stroke: null },
  title: {
    color: palette.ink,
    subtitleColor: palette.soft,
    fontSize: 15,
    fontWeight: 600,
    subtitleFontSize: 12,
    anchor: 'start',
    offset: 34,
  },
  axis: {
    labelColor: palette.soft,
    titleColor: palette.soft,
    titleFontWeight: 400,
    titleFontSize: 11,
    labelFontSize: 11,
    gridColor: palette.rule,
    domainColor: palette.soft,
    tickColor: palette.soft,
    tickSize: 4,
  },
  axisY: {
    domain: false,
    ticks: false,
    titleColor: palette.ink,
    titleFontWeight: 600,
    titleFontSize: 12,
    titleBaseline: 'top',
  },
  legend: {
    labelColor: palette.ink,
    orient: 'bottom',
    labelFontSize: 12,
    columns: 3,
    labelLimit: 300,
    offset: 24,
  },
}

/** The style sheet of the dark variant: browsers use it when the reader prefers dark, other programs ignore it. */
export function darkStyle(): string {
  const rules = Object.entries(dark).map(
    ([light, color]) => `[fill="${light}"]{fill:${color}}[stroke="${light}"]{stroke:${color}}`,
  )
  return `<style>@media (prefers-color-scheme:dark){[fill="white"]{fill:${dark[palette.page]}}${rules.join('')}}</style>`
}
