/** `feynkac inspect`: what a checkpoint is, and how sparse. */
import { Command } from 'commander'
import { type Zeros, sparsity } from '../../evaluation/sparsity'
import { type ModelOptions, checkSource, openModel, withModelOptions } from '../adopted'
import { withSession } from '../session'
import { openTerminal } from '../terminal'

interface Options extends ModelOptions {
  readonly device: string
  readonly json?: boolean
}

const share = ({ zero, total }: Zeros): number => zero / total
const shown = (zeros: Zeros): string => `${zeros.zero} of ${zeros.total} zero (${(100 * share(zeros)).toFixed(2)} %)`

async function inspect(path: string | undefined, options: Options): Promise<void> {
  checkSource(path, options)
  const terminal = openTerminal()
  try {
    await withSession({ ...options, threads: 1 }, terminal, async (session) => {
      const model = await openModel(session, path, options)
      const zeros = await sparsity({ session, model })
      const { architecture, members, trainable } = model.description
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
          }),
        )
        return
      }
      terminal.result(
        `architecture                        ${architecture}, ${members} member${members === 1 ? '' : 's'}`,
      )
      terminal.result(`parameters                          ${trainable}`)
      terminal.result(`weights of convolutions             ${shown(zeros.convWeights)}`)
      terminal.result(`input channels                      ${shown(zeros.inputChannels)}`)
      terminal.result(`input channels, skip paths left out ${shown(zeros.inputChannelsWithoutDownsample)}`)
    })
  } finally {
    terminal.close()
  }
}

export function inspectCommand(): Command {
  return withModelOptions(new Command('inspect'))
    .description('what a checkpoint is: architecture, counts, sparsity')
    .argument('[checkpoint]', 'a safetensors or torch file of a known layout')
    .option('--device <name>', 'auto, cpu or cuda', 'cpu')
    .option('--json', 'print one JSON line last')
    .addHelpText(
      'after',
      '\nExamples:\n  npx feynkac inspect resnet20.pth --json\n  npx feynkac inspect weights.pt --model net.py:make --allow-code',
    )
    .action(inspect)
}
