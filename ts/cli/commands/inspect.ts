/** `feynkac inspect`: what a checkpoint (or a list of norms) is, how sparse, and what it costs; with `--report` as a page. */
import { Command } from 'commander'
import { latency } from '../../cost/latency'
import { costLines } from '../../cost/lines'
import { type Zeros, sparsity } from '../../evaluation/sparsity'
import { type ModelOptions, checkSource, openModel, withModelOptions } from '../adopted'
import { type WorkerAddress, withWorkerAddress } from '../attached'
import { reportOf, writeReport } from '../checkpoint_report'
import { countModel } from '../counted'
import { imageSize } from '../image_size'
import type { LayerOptions } from '../layer_choice'
import { inspectNorms } from '../norm_list'
import { wholeNumber } from '../options'
import { withSession } from '../session'
import { openTerminal } from '../terminal'

interface Options extends ModelOptions, WorkerAddress, LayerOptions {
  readonly norms?: string
  readonly report?: string
  readonly device: string
  readonly threads: number
  readonly size?: number[]
  readonly latency?: boolean
  readonly batch: number
  readonly json?: boolean
}

const share = ({ zero, total }: Zeros): number => zero / total
const shown = (zeros: Zeros): string => `${zeros.zero} of ${zeros.total} zero (${(100 * share(zeros)).toFixed(2)} %)`

async function inspect(path: string | undefined, options: Options): Promise<void> {
  if (options.norms !== undefined) {
    if (path !== undefined || options.model !== undefined)
      throw new Error('Expected a checkpoint, `--model` or `--norms`, got two of them')
    inspectNorms(options.norms, { ...options, terminal: openTerminal(false) })
    return
  }
  checkSource(path, options)
  if (options.layer !== undefined && options.report === undefined)
    throw new Error('Expected `--layer` with `--report`, whose page shows the layer, got none')
  const terminal = openTerminal()
  try {
    await withSession(options, terminal, async (session) => {
      const model = await openModel(session, path, options)
      const zeros = await sparsity({ session, model })
      const { architecture, members, trainable } = model.description
      const { total, zero } = zeros.parameters
      const counted = await countModel(model, options.size, total - zero)
      if (options.latency && typeof counted === 'string') throw new Error(counted)
      const measured =
        options.latency && typeof counted !== 'string'
          ? await latency({ session, models: { net: model }, shape: counted.shape, batch: options.batch })
          : undefined
      const { report } = options
      const written =
        report === undefined
          ? null
          : writeReport(
              report,
              await reportOf(session, model, { ...options, zeros, path, command: again(path, options) }),
            )
      if (options.json) {
        terminal.result(
          JSON.stringify({
            architecture,
            members,
            parameters: trainable,
            convWeights: zeros.convWeights.total,
            inputChannels: zeros.inputChannels.total,
            inputChannelsWithoutDownsample: zeros.inputChannelsWithoutDownsample.total,
            inputChannelSparsity: share(zeros.inputChannels),
            inputChannelSparsityWithoutDownsample: share(zeros.inputChannelsWithoutDownsample),
            weightSparsity: share(zeros.convWeights),
            size: typeof counted === 'string' ? null : counted.shape,
            cost: typeof counted === 'string' ? null : { ...counted.cost, layers: undefined },
            ...(measured && { latency: measured.net }),
            ...(written === null ? {} : { report: written }),
          }),
        )
        return
      }
      if (written !== null) terminal.note(`report: ${written}`)
      terminal.result(
        `architecture                        ${architecture}, ${members} member${members === 1 ? '' : 's'}`,
      )
      terminal.result(`trainable parameters                ${trainable.toLocaleString('en-US')}`)
      terminal.result(`weights of convolutions             ${shown(zeros.convWeights)}`)
      terminal.result(`input channels                      ${shown(zeros.inputChannels)}`)
      terminal.result(`input channels, skip paths left out ${shown(zeros.inputChannelsWithoutDownsample)}`)
      if (typeof counted === 'string') {
        terminal.result(`cost                                not counted: ${counted}`)
        return
      }
      terminal.result(`cost for one image of               ${counted.shape.join(' x ')}`)
      for (const line of costLines({ net: counted.cost }, measured)) terminal.result(`  ${line}`)
    })
  } finally {
    terminal.close()
  }
}

/** The command line of the page, as far as it decides what the page shows. */
function again(path: string | undefined, { model, modelOptions, report, layer, layerSeed }: Options): string {
  const given = [
    ...(path === undefined ? [] : [path]),
    ...(model === undefined ? [] : [`--model ${model} --allow-code`]),
    ...(modelOptions === undefined ? [] : [`--model-options '${JSON.stringify(modelOptions)}'`]),
    ...(layer === undefined ? [] : [`--layer ${layer}`]),
    ...(layerSeed === 0 ? [] : [`--layer-seed ${layerSeed}`]),
  ]
  return `npx feynkac inspect ${given.join(' ')} --report ${report}`
}

export function inspectCommand(): Command {
  return withWorkerAddress(withModelOptions(new Command('inspect')))
    .description('what a checkpoint is: architecture, sparsity, cost')
    .argument('[checkpoint]', 'a safetensors or torch file of a known layout')
    .option('--norms <file>', 'instead: a text file of channel norms, as the published scripts print them')
    .option('--report <dir>', 'write a page with norms, weights and layers, report.html, into this folder')
    .option('--layer <name>', 'layer whose weights the page shows, such as layer3.1.conv2')
    .option('--layer-seed <n>', 'draws one of the largest layers where no --layer is given', wholeNumber(0), 0)
    .option('--device <name>', 'auto, cpu or cuda', 'cpu')
    .option('--threads <n>', 'threads of torch', wholeNumber(1), 1)
    .option('--size <c,h,w>', 'the image that the cost is for (1,28,28 or 3,32,32 when absent)', imageSize)
    .option('--latency', 'measure the time of a forward pass')
    .option('--batch <n>', 'images a pass that is measured', wholeNumber(1), 100)
    .option('--json', 'print one JSON line last')
    .addHelpText(
      'after',
      `
Examples:
  npx feynkac inspect resnet20.pth --json
  npx feynkac inspect resnet20.pth --report out
  npx feynkac inspect --norms net2.txt
  npx feynkac inspect net.safetensors --size 3,64,64 --latency --batch 128 --threads 2
  npx feynkac inspect weights.pt --model net.py:make --allow-code`,
    )
    .action(inspect)
}
