/** `feynkac compact`: takes the channels that nobody reads out of a network, checks that its logits stay, and writes it. */
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { type Agreement, TOLERANCE, agreement } from '../../compaction/agreement'
import { compact } from '../../compaction/compact'
import { LEAST_SHARE } from '../../compaction/removal'
import { cost } from '../../cost/cost'
import { costLines } from '../../cost/lines'
import { rand, use } from '../../tensor/functions'
import { plan } from '../../tensor/plan'
import type { DeviceTensor, Session } from '../../tensor/session'
import { type ModelOptions, checkSource, openModel, withModelOptions } from '../adopted'
import { agreementLine, groupLines, reportLines } from '../compaction_lines'
import { imageSize, usualSize } from '../image_size'
import { number, wholeNumber } from '../options'
import { type Format, checkNetworkOut, formatOf } from '../out_file'
import { withSession } from '../session'
import { openTerminal } from '../terminal'

interface Options extends ModelOptions {
  readonly out?: string
  readonly format?: Format
  readonly data?: string
  readonly dataRoot?: string
  readonly size?: number[]
  readonly images: number
  readonly least: number
  readonly tolerance: number
  readonly groups?: boolean
  readonly device: string
  readonly json?: boolean
}

async function compactModel(path: string | undefined, options: Options): Promise<void> {
  checkSource(path, options)
  checkNetworkOut(options)
  const { out, data, size, seed = 0, least, tolerance } = options
  if (data !== undefined && size !== undefined)
    throw new Error('Expected `--data` or `--size`, which both say how large an image is, got both')
  if (out !== undefined && path !== undefined && resolve(out) === resolve(path))
    throw new Error(`Expected \`--out\` to be another file than the checkpoint, got \`${out}\``)
  const terminal = openTerminal()
  try {
    await withSession(options, terminal, async (session) => {
      const before = await openModel(session, path, options)
      const shape = size ?? (data === undefined ? usualSize(before.description) : undefined)
      const images = await testImages(session, options, shape)
      const started = process.hrtime.bigint()
      const { model, widths, report } = await compact({ session, model: before, size: images.size, least })
      const seconds = Number(process.hrtime.bigint() - started) / 1e9
      const compared = await agreement({ session, before, after: model, images: images.tensor, seed, tolerance })
      refuseDifferent(compared)
      const graph = await before.graph(images.size)
      const costs = { before: cost(graph), after: cost(graph, { widths }) }
      if (out !== undefined) await model.save(out, { format: formatOf(out, options.format) })
      const { architecture, members } = before.description
      const { groups, ...rest } = report
      if (options.json) {
        const withoutLayers = Object.fromEntries(
          Object.entries(costs).map(([name, found]) => [name, { ...found, layers: undefined }]),
        )
        const shown = { ...rest, ...(options.groups ? { groups } : {}), cost: withoutLayers }
        terminal.result(
          JSON.stringify({ architecture, ...shown, widths, agreement: compared, seconds, out: out ?? null }),
        )
        return
      }
      if (options.groups) for (const line of groupLines(groups)) terminal.result(line)
      terminal.result(`${architecture}, images of ${images.size.join(' x ')}, ${seconds.toFixed(2)} s`)
      for (const line of reportLines(report, members)) terminal.result(line)
      for (const line of costLines(costs)) terminal.result(line)
      for (const found of compared) terminal.result(agreementLine(found))
      terminal.result(out === undefined ? 'not written: `--out` names a file' : `written to ${out}`)
    })
  } finally {
    terminal.close()
  }
}

interface TestImages {
  readonly size: readonly [channels: number, height: number, width: number]
  readonly tensor: DeviceTensor
}

/** Images of the data set, or random ones. */
async function testImages(
  session: Session,
  { data: name, dataRoot, images, seed = 0 }: Options,
  shape: readonly number[] | undefined,
): Promise<TestImages> {
  if (name === undefined) {
    const size = shape as unknown as TestImages['size']
    const generator = session.generator(seed)
    return { size, tensor: plan('random images', () => rand([images, ...size], generator), { session })() }
  }
  const data = await session.data(name, { split: 'test', root: dataRoot })
  const n = Math.min(images, data.n)
  const tensor = plan('test images', () => use(data.images).narrow(0, 0, n), { session })()
  return { size: data.shape as unknown as TestImages['size'], tensor }
}

function refuseDifferent(compared: readonly Agreement[]): void {
  const wrong = compared.find(({ agree }) => !agree)
  if (wrong === undefined) return
  const { noise, maxDifference, maxLogit, wrongAnswers, images } = wrong
  throw new Error(
    `Expected the smaller network to give the same logits, got a difference of ${maxDifference.toExponential(1)} at logits up to ` +
      `${maxLogit.toPrecision(3)} and ${wrongAnswers} of ${images} other answers with noise ${noise ? 'on' : 'off'}; nothing was written`,
  )
}

export function compactCommand(): Command {
  return withModelOptions(new Command('compact'))
    .description('take the channels that nobody reads out of a network: smaller and faster, with the same logits')
    .argument('[checkpoint]', 'a safetensors or torch file of a known layout')
    .option('--out <file>', 'write the smaller network here; without it the command only tells')
    .addOption(
      new Option('--format <name>', 'format of --out (by its name when absent)').choices(['safetensors', 'pt']),
    )
    .option('--data <name>', 'compare on test images of this data set instead of random ones')
    .option('--data-root <dir>', 'folder (or file, for arrays) of the data set')
    .option('--size <c,h,w>', 'channels, height and width of an image (1,28,28 or 3,32,32 when absent)', imageSize)
    .option('--images <n>', 'how many images to compare on, as one batch', wholeNumber(1), 100)
    .option('--least <share>', 'select channels only where at least that share goes', number(0, 1), LEAST_SHARE)
    .option('--tolerance <share>', 'largest difference accepted, of the largest logit', number(0, 1), TOLERANCE)
    .option('--groups', 'print the channels that can only go together')
    .option('--seed <n>', 'seed of random images and of the noise', wholeNumber(0), 0)
    .option('--device <name>', 'auto, cpu or cuda', 'cpu')
    .option('--json', 'print one JSON line last')
    .addHelpText(
      'after',
      '\nThe file keeps the list of channels that stayed; `session.load` and every command read it without it being told.' +
        '\n\nExamples:\n  npx feynkac compact pruned.pt --out small.safetensors --data fashion_mnist_subset' +
        '\n  npx feynkac compact weights.pt --model net.py:make --allow-code --size 3,32,32 --groups',
    )
    .action(compactModel)
}
