/** `feynkac inspect`: what a checkpoint is, how sparse, and what it costs. */
import { Command } from 'commander'
import { latency } from '../../cost/latency'
import { costLines } from '../../cost/lines'
import { type Zeros, sparsity } from '../../evaluation/sparsity'
import { type ModelOptions, checkSource, openModel, withModelOptions } from '../adopted'
import { countModel } from '../counted'
import { imageSize } from '../image_size'
import { wholeNumber } from '../options'
import { withSession } from '../session'
import { openTerminal } from '../terminal'

interface Options extends ModelOptions {
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
  checkSource(path, options)
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
          }),
        )
        return
      }
      terminal.result(
        `architecture                        ${architecture}, ${members} member${members === 1 ? '' : 's'}`,
      )
      terminal.result(`trainable parameters                ${trainable}`)
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

export function inspectCommand(): Command {
  return withModelOptions(new Command('inspect'))
    .description('what a checkpoint is: architecture, sparsity, cost')
    .argument('[checkpoint]', 'a safetensors or torch file of a known layout')
    .option('--device <name>', 'auto, cpu or cuda', 'cpu')
    .option('--threads <n>', 'threads of torch', wholeNumber(1), 1)
    .option('--size <c,h,w>', 'the image that the cost is for (1,28,28 or 3,32,32 when absent)', imageSize)
    .option('--latency', 'measure the time of a forward pass')
    .option('--batch <n>', 'images a pass that is measured', wholeNumber(1), 100)
    .option('--json', 'print one JSON line last')
    .addHelpText(
      'after',
      '\nExamples:\n  npx feynkac inspect resnet20.pth --json\n  npx feynkac inspect net.safetensors --size 3,64,64 --latency --batch 128 --threads 2\n  npx feynkac inspect weights.pt --model net.py:make --allow-code',
    )
    .action(inspect)
}
