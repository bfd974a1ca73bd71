/** `feynkac train`: adversarial training of one network, with or without a splitting method; stops, is killed, and resumes. */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { findPython } from '../../../setup/environment'
import { RunFolder } from '../../records/run_folder'
import type { TrainConfig } from '../../training/config'
import { warmStart } from '../../training/initial'
import { presets } from '../../training/presets'
import type { EpochMetrics } from '../../training/state'
import { missOf } from '../../training/target'
import type { TrainResult } from '../../training/train'
import type { Model, Session } from '../../tensor/session'
import { METHOD_VERSION } from '../experiment'
import { rowOf } from '../rows'
import { torchVersion } from '../known'
import { imageChannels } from '../image_size'
import { loadBoth } from '../load_data'
import { imageDistance, number, share, wholeNumber } from '../options'
import { type WorkerAddress, withWorkerAddress } from '../attached'
import { withSession } from '../session'
import { type Format, checkNetworkOut, formatOf } from '../out_file'
import { openTerminal } from '../terminal'
import { type ConfigOptions, configOf, networkOptions } from '../train_config'
import { trainWithProgress } from '../training_task'

/** Marks a finished run of this command in its folder. */
export const RESULT = 'result.json'

interface Options extends ConfigOptions, WorkerAddress {
  readonly data?: string
  readonly dataRoot?: string
  readonly from?: string
  readonly runs: string
  readonly out?: string
  readonly format?: Format
  readonly device: string
  readonly threads?: number
  readonly json?: boolean
}

interface Start {
  readonly model: Model
  readonly config: TrainConfig
}

/** A fresh network, or that of `--from`, which the configuration then names. */
async function startOf(session: Session, config: TrainConfig, options: Options): Promise<Start> {
  const { name, options: network } = config.network
  if (options.from === undefined) {
    if (config.initial !== undefined)
      throw new Error('Expected `--from` with a configuration that has `initial`, got nothing')
    return { model: await session.model(name, { ...network, seed: config.seed }), config }
  }
  const told = { ...(options.network !== undefined && { name }), options: { ...networkOptions(options) } }
  const { model, ...start } = await warmStart(session, options.from, told, config.initial)
  return { model, config: { ...config, ...start } }
}

/** Networks of the user may take what they like. */
function checkImages({ description }: Model, shape: readonly number[], data: string): void {
  const channels = imageChannels(description)
  if (/^(en)?(wide)?resnet/.test(description.name) && channels !== shape[0])
    throw new Error(
      `Expected \`--channels\` to be ${shape[0]}, as the images of ${data} have, got a network of ${String(channels)}`,
    )
}

/** What a result that is none should not hide. */
function warnings(kept: EpochMetrics, config: TrainConfig): string[] {
  const { zero, total } = kept.inputChannels
  const { target } = config
  if (zero === total) return ['warning: every input channel is zero, so the network gives all images the same answer']
  if (target === undefined || missOf(config, kept) === 0) return []
  const [got, wanted] = [zero / total, target.channels].map((value) => `${(100 * value).toFixed(1)} %`)
  return [`warning: ${got} of the channels are zero, ${wanted} were wanted: train longer, or use --target-by cubic`]
}

/** The share of zero channels of the network that was kept, beside the one that was asked for. */
function sparsityOf({ history, selectedEpoch }: TrainResult, { target }: TrainConfig): Record<string, unknown> {
  const { inputChannels, lambda } = history[selectedEpoch - 1]!
  return {
    inputChannelSparsity: inputChannels.zero / inputChannels.total,
    ...(target !== undefined && { targetChannelSparsity: target.channels }),
    ...(lambda !== undefined && { lambda }),
  }
}

async function run(options: Options): Promise<void> {
  checkNetworkOut(options)
  const terminal = openTerminal()
  try {
    const threads = options.threads ?? availableParallelism()
    const wanted = configOf(options, threads)
    const name = options.data ?? presets[options.preset].data.CIFAR10.name
    const runs = resolve(options.runs)
    await withSession({ ...options, threads }, terminal, async (session, signal) => {
      // As `reproduce` names it before a worker is started; elsewhere only the worker knows.
      const torch = options.worker === undefined ? torchVersion(findPython().python) : session.info.torch
      const data = await loadBoth(session, runs, name, options.dataRoot)
      const { model, config } = await startOf(session, wanted, options)
      const identity = {
        method: METHOD_VERSION,
        train: config,
        data: { name, checksum: data.known.checksum },
        torch,
        device: options.device,
      }
      checkImages(model, data.train.shape, name)
      using folder = RunFolder.open(runs, 'train', identity)
      const { network, method } = rowOf(config)
      const trained = await trainWithProgress(
        { session, model, data: data.train, config, signal },
        { folder, terminal, title: `train ${network} ${method}` },
      )
      const { history, selectedEpoch } = trained
      const model_ = options.out === undefined ? folder.path('model.safetensors') : resolve(options.out)
      if (options.out !== undefined)
        await model.save(model_, {
          format: formatOf(options.out, options.format),
          metadata: { epoch: String(selectedEpoch) },
        })
      const kept = history[selectedEpoch - 1]!
      for (const line of warnings(kept, config)) terminal.note(line)
      const result = {
        network,
        method,
        data: { name, title: data.known.title },
        epochs: history.length,
        selectedEpoch,
        loss: kept.loss,
        adversarialTrainAccuracy: kept.trainAccuracy,
        ...sparsityOf(trained, config),
        ...(model.description.widths !== undefined && { compact: true }),
        ...(config.initial !== undefined && { initial: { ...config.initial, file: options.from } }),
        n: config.images ?? data.train.n - config.validation.count,
        seed: config.seed,
        device: session.info.device,
        threads,
        torch: session.info.torch,
        model: model_,
        folder: folder.folder,
      }
      folder.writeJson(RESULT, result)
      const aim = config.target === undefined ? '' : ` (${(100 * config.target.channels).toFixed(1)} % wanted)`
      terminal.result(
        options.json
          ? JSON.stringify(result)
          : `${network} ${method} on ${data.known.title}: loss ${kept.loss.toFixed(3)}, ${kept.inputChannels.zero} of ${kept.inputChannels.total} input channels zero${aim}, ` +
              `epoch ${selectedEpoch} of ${history.length} kept, n = ${result.n}, seed ${config.seed}, ${result.device} with ${threads} thread${threads === 1 ? '' : 's'}\n${model_}`,
      )
    })
  } finally {
    terminal.close()
  }
}

export function trainCommand(): Command {
  return withWorkerAddress(new Command('train'))
    .description(
      'adversarial training of one network, with or without RVSM, RGSM or ADMM; the same command resumes what was stopped',
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
    .option('--from <file>', 'begin with the weights of this checkpoint, dense or compact, instead of fresh ones')
    .addOption(new Option('--method <name>', 'pruning method').choices(['none', 'rvsm', 'rgsm', 'admm']))
    .option('--beta <x>', 'weight of the quadratic term of RVSM and RGSM (1 when absent)', number(0))
    .option('--lambda <x>', 'lambda of RVSM, lambda1 of RGSM; where it starts with --target-by lambda', number(0))
    .option('--coupled', 'the quadratic term of RVSM and RGSM is a part of the loss and goes through the momentum')
    .option('--aside', 'RVSM and RGSM go on from the dense weights; only what is saved has the zeros')
    .option('--target-channels <share>', 'share of zero channels that RGSM is to reach, such as 40% or 0.4', share)
    .addOption(
      new Option(
        '--target-by <way>',
        'reach it by adapting lambda, or by projecting onto a share that grows along a cubic (when absent)',
      ).choices(['lambda', 'cubic']),
    )
    .option('--rho <x>', 'weight of the quadratic term of ADMM (0.01 when absent)', number(0))
    .option(
      '--percent <x>',
      'zeros in every convolution that ADMM is to reach, in percent: 50 is half of them',
      number(0, 100),
    )
    .addOption(
      new Option('--of <what>', 'what ADMM zeroes: channels (when absent) or weights').choices(['weights', 'channels']),
    )
    .addOption(
      new Option(
        '--variant <name>',
        'ADMM as the method says (when absent), or as in the published code, whose zeros are not real',
      ).choices(['correct', 'paper']),
    )
    .option('--averaging <decay>', 'end with an exponential moving average of the weights, such as 0.995', number(0, 1))
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
    .addOption(
      new Option('--format <name>', 'format of --out (by its name when absent)').choices(['safetensors', 'pt']),
    )
    .option('--device <name>', 'auto, cpu or cuda', 'auto')
    .option('--threads <n>', 'threads of torch', wholeNumber(1))
    .option('--json', 'print one JSON line last')
    .addHelpText(
      'after',
      `
Examples:
  npx feynkac train --method rgsm --lambda 0.05 --out pruned.pt
  npx feynkac train --target-channels 40% --out pruned.safetensors
  npx feynkac train --method rgsm --target-channels 40% --target-by lambda
  npx feynkac train --method admm --percent 50 --of channels --rho 0.1
  npx feynkac train --method admm --percent 50 --of weights --variant paper
  npx feynkac train --averaging 0.995
  npx feynkac train --from small.safetensors --lr 0.01 --epochs 3 --out tuned.safetensors
  npx feynkac train --preset paper --network enresnet20 --members 2 --noise 0.1 --data-root data/cifar-10-batches-bin`,
    )
    .action(run)
}
