/** `feynkac table`: renders a table from the records that are there, without running anything. */
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { toCsv } from '../../report/csv'
import { toJson } from '../../report/json'
import { toLatex } from '../../report/latex'
import { toTerminal } from '../../report/terminal'
import { presets } from '../../training/presets'
import { buildPages } from '../publish'
import { tableNamed, tableNames } from '../tables'
import { openTerminal } from '../terminal'

interface Options {
  readonly preset: string
  readonly runs: string
  readonly format: 'text' | 'markdown' | 'html' | 'latex' | 'csv' | 'json'
  readonly json?: boolean
}

export function tableCommand(): Command {
  return new Command('table')
    .description('print a table from the records that are there; missing cells say so')
    .argument('<table>', `one of ${tableNames().join(', ')}`)
    .addOption(new Option('--preset <name>', 'rows of which preset').choices(Object.keys(presets)).default('smoke'))
    .option('--runs <dir>', 'where the records are', 'runs')
    .addOption(
      new Option('--format <name>', 'how to print')
        .choices(['text', 'markdown', 'html', 'latex', 'csv', 'json'])
        .default('text'),
    )
    .option('--json', 'the same as --format json')
    .addHelpText(
      'after',
      '\nExample:\n  npx feynkac table sparsity-meets-robustness/table-2 --format markdown > table.md',
    )
    .action((name: string, options: Options) => {
      const terminal = openTerminal(false)
      const { data, html, markdown } = buildPages({
        table: tableNamed(name),
        preset: options.preset,
        runs: resolve(options.runs),
        terminal,
      })
      const format = options.json ? 'json' : options.format
      const texts = {
        text: () => toTerminal(data, { width: process.stdout.columns || 120, color: process.stdout.isTTY }),
        markdown: () => markdown,
        html: () => html,
        latex: () => toLatex(data),
        csv: () => toCsv(data),
        json: () => JSON.stringify(toJson(data, null)),
      }
      // a line of CSV ends with CR LF: only the last LF goes, which `result` writes again
      terminal.result(texts[format]().replace(/\n$/, ''))
    })
}
