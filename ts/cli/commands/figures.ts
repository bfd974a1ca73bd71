/** `feynkac figures`: the figures of a table from the records that are there, as files. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { channelNormsOf, findRecords, metricsOf } from '../../records/find'
import { figuresOf } from '../../report/figures'
import { toPng, toSvg } from '../../report/render'
import { presets } from '../../training/presets'
import { CELLS } from '../cells'
import { names } from '../options'
import { tableNamed, tableNames } from '../tables'
import { openTerminal } from '../terminal'

interface Options {
  readonly preset: string
  readonly runs: string
  readonly out: string
  readonly format: string[]
  readonly json?: boolean
}

const render = { svg: toSvg, png: toPng }
const formats = Object.keys(render) as (keyof typeof render)[]

export function figuresCommand(): Command {
  return new Command('figures')
    .description(
      'draw channel norms, sparsity and accuracy against lambda, and training from the records that are there',
    )
    .argument('<table>', `one of ${tableNames().join(', ')}`)
    .addOption(new Option('--preset <name>', 'rows of which preset').choices(Object.keys(presets)).default('smoke'))
    .option('--runs <dir>', 'where the records are', 'runs')
    .option('--out <dir>', 'where the figures go', 'figures')
    .option('--format <names>', `some of ${formats.join(', ')}`, names(formats), ['svg'])
    .option('--json', 'print one JSON line')
    .addHelpText(
      'after',
      '\nExample:\n  npx feynkac figures sparsity-meets-robustness/table-2 --runs runs --out figures --format svg,png',
    )
    .action(async (name: string, options: Options) => {
      const terminal = openTerminal(false)
      const table = tableNamed(name)
      const { runs, broken } = findRecords(resolve(options.runs), CELLS)
      for (const { path, reason } of broken) terminal.note(`left out ${path}: ${reason}`)
      const data = table.build(
        runs.map(({ record }) => record),
        options.preset,
      )
      const figures = figuresOf(data, { metrics: metricsOf(runs), channelNorms: channelNormsOf(runs) })
      if (figures.length === 0) {
        throw new Error(
          `Expected finished runs of preset ${options.preset} below ${resolve(options.runs)}, found none to draw`,
        )
      }
      mkdirSync(options.out, { recursive: true })
      const files: string[] = []
      for (const { name, spec } of figures) {
        for (const format of formats.filter((each) => options.format.includes(each))) {
          const path = join(options.out, `${name}.${format}`)
          writeFileSync(path, await render[format](spec))
          files.push(path)
        }
      }
      terminal.result(options.json ? JSON.stringify({ files }) : files.join('\n'))
    })
}
