/** `feynkac attack`: natural and robust accuracy of any checkpoint of the known layouts. */
import { Command } from 'commander'
import { evaluate } from '../../evaluation/evaluate'
import { wilson } from '../../records/intervals'
import type { Model } from '../../tensor/model'
import linf from '../../threats/linf'
import { evaluationTask } from '../evaluation_task'
import { imageDistance, number, wholeNumber } from '../options'
import { type AttackOptions, attackConditions, attacksOf, checkAttacks, withAttackOptions } from '../attacks'
import { type ModelOptions, checkSource, openModel, withModelOptions } from '../adopted'
import { type WorkerAddress, withWorkerAddress } from '../attached'
import { withSession } from '../session'
import { openTerminal } from '../terminal'
import { packageVersion } from '../../../bridge/root'

interface Options extends ModelOptions, AttackOptions, WorkerAddress {
  readonly data: string
  readonly dataRoot?: string
  readonly limit?: number
  readonly epsilon?: { value: number; notation: string }
  readonly step?: { value: number; notation: string }
  readonly batch: number
  readonly seed: number
  readonly noise: boolean
  readonly noiseCoefficient?: number
  readonly device: string
  readonly threads?: number
  readonly json?: boolean
}

async function attack(path: string | undefined, options: Options): Promise<void> {
  checkSource(path, options)
  checkAttacks(options)
  if (options.model !== undefined && options.noiseCoefficient !== undefined)
    throw new Error('Expected `--noise-coefficient` with a checkpoint only, got it with `--model`')
  const terminal = openTerminal()
  try {
    await withSession(options, terminal, async (session, signal) => {
      const model = await openModel(
        session,
        path,
        options,
        options.noiseCoefficient === undefined ? {} : { noise: options.noiseCoefficient },
      )
      const data = await session.data(options.data, { split: 'test', root: options.dataRoot })
      const epsilon =
        options.epsilon ?? (data.epsilon === null ? undefined : { value: data.epsilon, notation: String(data.epsilon) })
      if (epsilon === undefined)
        throw new Error(`Expected \`--epsilon\` with ${data.title}, which has no usual one, got nothing`)
      const stepSize = options.step?.value ?? (epsilon.value === 0.031 ? 0.007 : epsilon.value / 4)
      const chosen = attacksOf(options, { epsilon: epsilon.value, stepSize })
      const n = Math.min(options.limit ?? data.n, data.n)
      const task = evaluationTask(terminal, 'attack', chosen, n)
      const measured = await evaluate({
        session,
        model,
        data,
        attacks: chosen,
        threat: linf({ epsilon: epsilon.value, notation: epsilon.notation }),
        batch: options.batch,
        limit: n,
        seed: options.seed,
        noise: options.noise,
        restarts: options.restarts,
        signal,
        onProgress: task.onProgress,
      })
      task.finish()
      const { torch, python, device, threads } = session.info
      const special = attackConditions(options)
      const conditions = {
        data: { name: data.name, title: data.title, n: data.n, checksum: data.checksum, official: data.official },
        network: model.description.architecture,
        epsilon,
        stepSize,
        ...special,
        batch: options.batch,
        noise: options.noise,
        device,
        threads,
        versions: { feynkac: packageVersion(), torch, python, node: process.version },
      }
      if (options.json) {
        const robust = Object.fromEntries(
          Object.entries(measured.attacks).map(([name, { correct, n: of }]) => [
            name,
            { robust: correct / of, correct, n: of },
          ]),
        )
        const { correct, n: of } = measured.natural
        terminal.result(
          JSON.stringify({ n: of, seed: options.seed, natural: correct / of, attacks: robust, ...conditions }),
        )
        return
      }
      terminal.result(
        `${conditions.network} on ${data.title}, n = ${n}, seed ${options.seed}, epsilon ${epsilon.notation}, step ${Number(stepSize.toPrecision(4))}`,
      )
      for (const [name, { correct, n: of }] of Object.entries({ natural: measured.natural, ...measured.attacks })) {
        const { low, high } = wilson(correct, of)
        const text = [correct / of, low, high].map((value) => (100 * value).toFixed(2))
        terminal.result(`${name.padEnd(9)} ${text[0]} %  [${text[1]}, ${text[2]}]  (${correct} of ${of})`)
      }
      if (special.restarts !== undefined) terminal.result(`pgd20: ${special.restarts} random starts`)
      if (special.cw !== undefined)
        terminal.result(
          `cw: l2 bound ${special.cw.l2Bound}, ${special.cw.searches} weights of ${special.cw.iterations} steps`,
        )
      terminal.result(
        `${device}, ${threads} thread${threads === 1 ? '' : 's'}, batches of ${options.batch}, ${noiseText(model, options)}, torch ${torch}`,
      )
    })
  } finally {
    terminal.close()
  }
}

/** Single networks have no noise to switch. */
function noiseText({ description: { options: network } }: Model, { noise }: Options): string {
  return network['noise'] === 0 ? 'a network without noise' : `noise ${noise ? 'on' : 'off'}`
}

export function attackCommand(): Command {
  return withWorkerAddress(withAttackOptions(withModelOptions(new Command('attack'))))
    .description('natural and robust accuracy of a checkpoint (safetensors or torch file of a known layout)')
    .argument('[checkpoint]', 'the file')
    .option(
      '--data <name>',
      'data set: fashion_mnist_subset, fashion_mnist, mnist, cifar10, cifar100, svhn, arrays, image_folder',
      'cifar10',
    )
    .option('--data-root <dir>', 'folder (or file, for arrays) of the data set')
    .option('--limit <n>', 'only N test images, evenly spread over the split', wholeNumber(1))
    .option(
      '--epsilon <size>',
      'radius on the [0, 1] scale, such as 0.031 or 8/255 (the usual one of the data set when absent)',
      imageDistance,
    )
    .option(
      '--step <size>',
      'step of IFGSM20 and PGD20 (0.007 at 0.031, else a quarter of epsilon, when absent)',
      imageDistance,
    )
    .option('--batch <n>', 'images a batch; whole-tensor noise depends on it', wholeNumber(1), 100)
    .option('--seed <n>', 'seed of noise and random starts', wholeNumber(0), 0)
    .option('--no-noise', 'switch the noise of an ensemble off (another network than the published one)')
    .option('--noise-coefficient <x>', 'noise coefficient, where the checkpoint does not tell', number(0))
    .option('--device <name>', 'auto, cpu or cuda', 'auto')
    .option('--threads <n>', 'threads of torch', wholeNumber(1))
    .option('--json', 'print one JSON line last')
    .addHelpText(
      'after',
      '\nExamples:\n  npx feynkac attack resnet20.pth --data cifar10 --data-root data/cifar-10-batches-bin --attacks fgsm,ifgsm20 --limit 1000' +
        '\n  npx feynkac attack resnet20.pth --data-root data/cifar-10-batches-bin --attacks pgd20,cw --restarts 5 --l2-bound 0.5 --limit 100' +
        '\n  npx feynkac attack weights.pt --model net.py:make --allow-code --data fashion_mnist_subset --attacks fgsm',
    )
    .action(attack)
}
