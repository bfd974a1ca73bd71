/** `feynkac export`: a network as an ONNX file. */
import { Command, InvalidArgumentError } from 'commander'
import { type ModelOptions, checkSource, openModel, withModelOptions } from '../adopted'
import { imageSize, usualSize } from '../image_size'
import { wholeNumber } from '../options'
import { checkOut } from '../out_file'
import { withSession } from '../session'
import { openTerminal } from '../terminal'

interface Options extends ModelOptions {
  readonly out: string
  readonly size?: number[]
  readonly batch: 'dynamic' | number
  readonly json?: boolean
}

async function exportModel(path: string | undefined, options: Options): Promise<void> {
  checkSource(path, options)
  checkOut(options)
  const terminal = openTerminal()
  try {
    await withSession({ ...options, device: 'cpu', threads: 1 }, terminal, async (session) => {
      const model = await openModel(session, path, options)
      const shape = options.size ?? usualSize(model.description)
      const batch = options.batch === 'dynamic' ? undefined : options.batch
      const written = await model.export(options.out, { shape, batch })
      if (options.json) {
        terminal.result(JSON.stringify({ out: options.out, architecture: model.description.architecture, ...written }))
        return
      }
      const sizes = (dimensions: readonly (number | null)[]) => dimensions.map((size) => size ?? 'any').join(', ')
      const { bytes, opset, input, output, noise } = written
      terminal.result(`${options.out}: ${model.description.architecture}, ${bytes} bytes, ONNX opset ${opset}`)
      terminal.result(`${input.name.padEnd(6)} float32 [${sizes(input.shape)}], pixels in [0, 1]`)
      terminal.result(`${output.name.padEnd(6)} float32 [${sizes(output.shape)}]`)
      terminal.result(`noise  ${noise}`)
    })
  } finally {
    terminal.close()
  }
}

function batchSize(text: string): 'dynamic' | number {
  if (text === 'dynamic') return text
  try {
    return wholeNumber(1)(text)
  } catch {
    throw new InvalidArgumentError(`Expected \`dynamic\` or a whole number of at least 1, got \`${text}\`.`)
  }
}

export function exportCommand(): Command {
  return withModelOptions(new Command('export'))
    .description('a network as an ONNX file, its noise switched off: other runtimes then give the same logits')
    .argument('[checkpoint]', 'a safetensors or torch file of a known layout')
    .requiredOption('--out <file>', 'the file to write, such as net.onnx')
    .option('--size <c,h,w>', 'channels, height and width of an image (1,28,28 or 3,32,32 when absent)', imageSize)
    .option('--batch <n>', 'a fixed batch size, or dynamic', batchSize, 'dynamic')
    .option('--json', 'print one JSON line last')
    .addHelpText(
      'after',
      '\nNoise is never exported: its size depends on the whole batch and it is drawn anew in each pass.' +
        '\n\nExamples:\n  npx feynkac export net.safetensors --out net.onnx' +
        '\n  npx feynkac export --model net.py:make --allow-code --size 3,64,64 --batch 1 --out net.onnx',
    )
    .action(exportModel)
}
