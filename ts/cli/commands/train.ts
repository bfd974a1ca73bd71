/** `feynkac train`: adversarial training of one network, with or without a splitting method; stops, is killed, and resumes. */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { findPython } from '../../../setup/environment'
import { RunFolder } from '../../records/run_folder'
import { type TrainConfig, rgsm, rvsm } from '../../training/config'
import { type Cell, configure, presets } from '../../training/presets'
import { METHOD_VERSION } from '../experiment'
import { rowOf } from '../rows'
import { torchVersion } from '../known'
import { loadBoth } from '../load_data'
import { imageDistance, number, wholeNumber } from '../options'
import { withSession } from '../session'
import { openTerminal } from '../terminal'
import { trainWithProgress } from '../training_task'

/** Marks a finished run of this command in its folder. */
export const RESULT = 'result.json'

interface Options {
  readonly config?: string
  readonly preset: keyof typeof presets
  readonly data?: string
  readonly dataRoot?: string
  readonly network?: string
  readonly members?: number
  readonly noise?: number
  readonly width?: number
  readonly channels?: number
  readonly classes?: number
  readonly stemStride?: number
  readonly method?: 'none' | 'rvsm' | 'rgsm'
  readonly beta?: number
  readonly lambda?: number
  readonly epochs?: number
  readonly batch?: number
  readonly lr?: number
  readonly weightDecay?: number
  readonly epsilon?: { value: number; notation: string }
  readonly step?: { value: number; notation: string }
  readonly iterations?: number
  readonly images?: number
  readonly seed: number
  readonly runs: string
  readonly out?: string
  readonly format: 'safetensors' | 'pt'
  readonly device: string
  readonly threads?: number
  readonly json?: boolean
}

const given = <T extends object>(values: T): Partial<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>

function splittingOf(base: TrainConfig, { method, beta, lambda }: Options): TrainConfig['splitting'] {
  if ((method === undefined || method === 'none') && (lambda !== undefined || beta !== undefined)) {
    throw new Error(
      `Expected \`--method\` rvsm or rgsm with \`--${lambda === undefined ? 'beta' : 'lambda'}\`, got ${method ?? 'nothing'}`,
    )
  }
  if (method === undefined) return base.splitting
  if (method === 'none') return { kind: 'none' }
  if (lambda === undefined) throw new Error(`Expected \`--lambda\` with --method ${method}, got nothing`)
  return method === 'rvsm' ? rvsm({ beta: beta ?? 1, lambda }) : rgsm({ beta: beta ?? 1, lambda1: lambda })
}

const denseCell = (preset: Options['preset']): Cell => ({
  network: { name: presets[preset].network, options: {} },
  splitting: { kind: 'none' },
  lambda2: 0,
})

/** The dense network of a preset, or a configuration file, with what the command line says. */
function configOf(options: Options, threads: number): TrainConfig {
  const base =
    options.config === undefined
      ? configure(presets[options.preset], denseCell(options.preset), { seed: options.seed, threads })
      : (JSON.parse(readFileSync(options.config, 'utf8')) as TrainConfig)
  const { members, noise, width, channels, classes, stemStride } = options
  const stepAttack = given({ stepSize: options.step?.value, iterations: options.iterations })
  return {
    ...base,
    ...given({ epochs: options.epochs, batchSize: options.batch, images: options.images }),
    network: {
      name: options.network ?? base.network.name,
      options: {
        ...base.network.options,
        ...given({ members, noise, width, channels, classes, stem_stride: stemStride }),
      },
    },
    optimiser: { ...base.optimiser, ...given({ lr: options.lr, weightDecay: options.weightDecay }) },
    threat:
      options.epsilon === undefined
        ? base.threat
        : { epsilon: options.epsilon.value, notation: options.epsilon.notation },
    attack: base.attack === null ? null : { ...base.attack, ...stepAttack },
    validation: { ...base.validation, attack: { ...base.validation.attack, ...stepAttack } },
    splitting: splittingOf(base, options),
    lambda2: options.method === 'rgsm' && base.lambda2 === 0 ? 1e-5 : base.lambda2,
    seed: options.seed,
    threads,
  }
}

async function run(options: Options): Promise<void> {
  const terminal = openTerminal()
  try {
    const threads = options.threads ?? availableParallelism()
    const config = configOf(options, threads)
    const name = options.data ?? presets[options.preset].data.CIFAR10.name
    const runs = resolve(options.runs)
    const torch = torchVersion(findPython().python)
    await withSession({ ...options, threads }, terminal, async (session, signal) => {
      const data = await loadBoth(session, runs, name, options.dataRoot)
      const identity = {
        method: METHOD_VERSION,
        train: config,
        data: { name, checksum: data.known.checksum },
        torch,
        device: options.device,
      }
      using folder = RunFolder.open(runs, 'train', identity)
      const model = await session.model(config.network.name, { ...config.network.options, seed: config.seed })
      const { network, method } = rowOf(config)
      const { history, selectedEpoch } = await trainWithProgress(
        { session, model, data: data.train, config, signal },
        { folder, terminal, title: `train ${network} ${method}` },
      )
      const model_ = options.out === undefined ? folder.path('model.safetensors') : resolve(options.out)
      if (options.out !== undefined)
        await model.save(model_, { format: options.format, metadata: { epoch: String(selectedEpoch) } })
      const last = history.at(-1)!
      const result = {
        network,
        method,
        data: { name, title: data.known.title },
        epochs: history.length,
        selectedEpoch,
        loss: last.loss,
        adversarialTrainAccuracy: last.trainAccuracy,
        inputChannelSparsity: last.inputChannels.zero / last.inputChannels.total,
        n: config.images ?? data.train.n - config.validation.count,
        seed: config.seed,
        device: session.info.device,
        threads,
        torch: session.info.torch,
        model: model_,
        folder: folder.folder,
      }
      folder.writeJson(RESULT, result)
      terminal.result(
        options.json
          ? JSON.stringify(result)
          : `${network} ${method} on ${data.known.title}: loss ${last.loss.toFixed(3)}, ${last.inputChannels.zero} of ${last.inputChannels.total} input channels zero, ` +
              `epoch ${selectedEpoch} of ${history.length} kept, n = ${result.n}, seed ${config.seed}, ${result.device} with ${threads} threads\n${model_}`,
      )
    })
  } finally {
    terminal.close()
  }
}

export function trainCommand(): Command {
  return new Command('train')
    .description(
      'adversarial training of one network, with or without RVSM or RGSM; the same command resumes what was stopped',
    )
    .addOption(new Option('--preset <name>', 'constants to start from').choices(Object.keys(presets)).default('smoke'))
    .option('--config <file>', 'a training configuration as JSON, instead of a preset')
    .option('--data <name>', 'data set (that of the preset when absent)')
    .option('--data-root <dir>', 'folder of the data set')
    .option('--network <name>', 'resnet8, resnet20, …, enresnet8, enresnet20, …')
    .option('--members <n>', 'members of an ensemble', wholeNumber(1))
    .option('--noise <x>', 'noise coefficient', number(0))
    .option('--width <n>', 'channels of the first stage', wholeNumber(1))
    .option('--channels <n>', 'input channels of the images', wholeNumber(1))
    .option('--classes <n>', 'classes', wholeNumber(2))
    .option('--stem-stride <n>', 'stride of the first convolution', wholeNumber(1))
    .addOption(new Option('--method <name>', 'splitting method').choices(['none', 'rvsm', 'rgsm']))
    .option('--beta <x>', 'weight of the quadratic term (1 when absent)', number(0))
    .option('--lambda <x>', 'lambda of RVSM, lambda1 of RGSM', number(0))
    .option('--epochs <n>', 'epochs', wholeNumber(1))
    .option('--batch <n>', 'images a batch', wholeNumber(1))
    .option('--lr <x>', 'first learning rate', number(0))
    .option('--weight-decay <x>', 'weight decay', number(0))
    .option('--epsilon <size>', 'radius of the training attack, such as 0.031 or 8/255', imageDistance)
    .option('--step <size>', 'step of the training attack', imageDistance)
    .option('--iterations <n>', 'iterations of the training attack', wholeNumber(1))
    .option('--images <n>', 'train on so many images', wholeNumber(1))
    .option('--seed <n>', 'seed of everything', wholeNumber(0), 0)
    .option('--runs <dir>', 'where the run is kept', 'runs')
    .option('--out <file>', 'write the trained network here as well')
    .addOption(new Option('--format <name>', 'format of --out').choices(['safetensors', 'pt']).default('safetensors'))
    .option('--device <name>', 'auto, cpu or cuda', 'auto')
    .option('--threads <n>', 'threads of torch', wholeNumber(1))
    .option('--json', 'print one JSON line last')
    .addHelpText(
      'after',
      `
Examples:
  npx feynkac train --method rgsm --lambda 0.05 --out pruned.pt --format pt
  npx feynkac train --preset paper --network enresnet20 --members 2 --noise 0.1 --data-root data/cifar-10-batches-bin`,
    )
    .action(run)
}
