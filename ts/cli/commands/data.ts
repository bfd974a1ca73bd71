/** `feynkac data`: which data sets there are, what of them was found, and the download from their official homes. */
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { askData, megabytes } from '../data_process'
import { type Terminal, openTerminal } from '../terminal'

interface Options {
  readonly root?: string
  readonly download?: boolean
  readonly mirror?: string
  readonly json?: boolean
}

type Split =
  | { readonly split: string; readonly error: string }
  | {
      readonly split: string
      readonly title: string
      readonly n: number
      readonly shape: readonly number[]
      readonly classes: number
      readonly official: boolean
    }

interface Survey {
  readonly name: string
  readonly title: string
  readonly downloadBytes: number | null
  readonly splits: readonly Split[]
}

async function data(name: string | undefined, options: Options): Promise<void> {
  if (options.download && (name === undefined || options.root === undefined)) {
    throw new Error('Expected `feynkac data NAME --download --root DIR`: one data set, and the folder that receives it')
  }
  if (options.mirror !== undefined && !/^https?:\/\//.test(options.mirror)) {
    throw new Error(`Expected \`--mirror\` to be an http or https URL of a folder, got \`${options.mirror}\``)
  }
  const terminal = openTerminal()
  try {
    const root = options.root === undefined ? [] : ['--root', resolve(options.root)]
    const fetched = options.download ? await download(terminal, name!, resolve(options.root!), options.mirror) : {}
    const found = (await askData(terminal, ['survey', ...root, ...(name === undefined ? [] : [name])])) as Survey[]
    if (options.json) terminal.result(JSON.stringify({ ...fetched, dataSets: found }))
    else if (name === undefined) list(terminal, found, options.root)
    else details(terminal, found[0]!)
    if (name !== undefined && found[0]!.splits.every((split) => 'error' in split)) process.exitCode = 1
  } finally {
    terminal.close()
  }
}

async function download(terminal: Terminal, name: string, root: string, mirror: string | undefined): Promise<object> {
  mkdirSync(root, { recursive: true })
  const from = mirror === undefined ? [] : ['--mirror', mirror]
  const done = (await askData(terminal, ['download', '--root', root, ...from, name])) as { downloaded: string[] }
  if (done.downloaded.length === 0) terminal.note(`${name} is in ${root} already`)
  return done
}

function list(terminal: Terminal, found: readonly Survey[], root: string | undefined): void {
  const width = Math.max(...found.map(({ name }) => name.length))
  for (const { name, title, downloadBytes, splits } of found) {
    const here = splits.flatMap((split) => ('error' in split ? [] : [`${split.split} ${split.n}`]))
    const where = root === undefined ? 'give its folder with --root' : `not in ${root}`
    const source = downloadBytes === null ? '' : ` (--download brings ${megabytes(downloadBytes)})`
    terminal.result(`${name.padEnd(width)}  ${title}: ${here.join(', ') || where + source}`)
  }
}

function details(terminal: Terminal, { splits }: Survey): void {
  for (const split of splits) {
    if ('error' in split) terminal.result(`${split.split}: ${split.error}`)
    else {
      const { title, n, shape, classes, official } = split
      const files = official ? 'the official files' : 'no official files'
      terminal.result(`${split.split}: ${title}, ${n} images ${shape.join('x')}, ${classes} classes, ${files}`)
    }
  }
}

export function dataCommand(): Command {
  return new Command('data')
    .description('list data sets and what was found of them, or download one from its official home')
    .argument('[name]', 'read and check this data set only')
    .option('--root <dir>', 'the folder that holds the files')
    .option('--download', 'bring what is missing into the folder; goes on where it was interrupted')
    .option('--mirror <url>', 'a folder that holds copies of the official files; checksums are compared as always')
    .option('--json', 'print one JSON line last')
    .addHelpText(
      'after',
      '\nExamples:\n  npx feynkac data --root data\n  npx feynkac data cifar10 --download --root data',
    )
    .action(data)
}
