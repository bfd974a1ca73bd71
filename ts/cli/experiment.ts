/** One row of a table with one seed: train, evaluate, count zeros, record. What was finished before is not done again. */
import { cpus } from 'node:os'
import { packageVersion } from '../../bridge/root'
import { evaluate } from '../evaluation/evaluate'
import { sparsity } from '../evaluation/sparsity'
import { paperA } from '../evaluation/suites'
import { type RunRecord, SCHEMA } from '../records/record'
import type { RunFolder } from '../records/run_folder'
import type { RowIdentity } from '../tables/shared/table'
import type { Dataset, Session } from '../tensor/session'
import linf from '../threats/linf'
import type { TrainConfig } from '../training/config'
import type { EvaluationSettings } from '../training/presets'
import { commit } from './checkout'
import { evaluationTask } from './evaluation_task'
import type { KnownData } from './known'
import { rowText } from './rows'
import type { Terminal } from './terminal'
import { trainWithProgress } from './training_task'

/** Raised when a change of the code changes the numbers of a run: records of older versions are not reused. */
export const METHOD_VERSION = 1

export interface Experiment {
  readonly table: string
  readonly preset: string
  readonly row: RowIdentity
  readonly train: TrainConfig
  readonly evaluation: EvaluationSettings
  readonly data: { readonly name: string; readonly known: KnownData }
}

/** A cell in words: `En2ResNet8 RGSM lambda1 0.05, seed 0`. */
export const titleOf = ({ row, train: { seed } }: Experiment): string => `${rowText(row)}, seed ${seed}`

/** Everything that the numbers of a run depend on: what its folder's name is the hash of. */
export function configurationOf(
  experiment: Experiment,
  versions: { torch: string; threads: number; device: string },
): Record<string, unknown> {
  const { name, known } = experiment.data
  return {
    method: METHOD_VERSION,
    train: experiment.train,
    evaluation: experiment.evaluation,
    data: { name, checksum: known.checksum },
    ...versions,
  }
}

export interface RunTools {
  readonly session: Session
  readonly data: { readonly train: Dataset; readonly test: Dataset }
  readonly folder: RunFolder
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/** Runs what is left of an experiment and writes its record into the folder. */
export async function runExperiment(experiment: Experiment, tools: RunTools): Promise<RunRecord> {
  const { session, data, folder, terminal, signal } = tools
  const { train: config, evaluation } = experiment
  const model = await session.model(config.network.name, { ...config.network.options, seed: config.seed })
  const title = titleOf(experiment)

  const { selectedEpoch, trainSeconds } = await trainWithProgress(
    { session, model, data: data.train, config, signal },
    { folder, terminal, title: `train ${title}` },
  )

  const attacks = paperA(evaluation)
  const n = Math.min(evaluation.limit ?? data.test.n, data.test.n)
  const bar = evaluationTask(terminal, `attack ${title}`, attacks, n)
  const started = performance.now()
  const measured = await evaluate({
    session,
    model,
    data: data.test,
    attacks,
    threat: linf(evaluation),
    batch: evaluation.batch,
    limit: evaluation.limit,
    seed: config.seed,
    signal,
    onProgress: bar.onProgress,
  })
  const seconds = (performance.now() - started) / 1000
  bar.finish(`natural ${percent(measured.natural)}, IFGSM20 ${percent(measured.attacks['ifgsm20'])}`)

  const zeros = await sparsity({ session, model })
  folder.writeJson('channel-norms.json', zeros.channelNorms)
  const { convWeights, inputChannels, inputChannelsWithoutDownsample, parameters } = zeros
  const record: RunRecord = {
    schema: SCHEMA,
    experiment: folder.experiment,
    hash: folder.hash,
    table: experiment.table,
    preset: experiment.preset,
    ...experiment.row,
    data: {
      name: experiment.data.name,
      title: experiment.data.known.title,
      trainN: config.images ?? data.train.n - config.validation.count,
      validationN: config.validation.count,
      testN: data.test.n,
      official: experiment.data.known.official,
      checksum: experiment.data.known.checksum,
    },
    seed: config.seed,
    epsilon: { value: evaluation.epsilon, notation: evaluation.notation },
    config: folder.config,
    measured: { natural: measured.natural, attacks: measured.attacks, draws: 1 },
    sparsity: { convWeights, inputChannels, inputChannelsWithoutDownsample, parameters },
    parameters: model.description.trainable,
    selectedEpoch,
    epochs: config.epochs,
    seconds: { train: trainSeconds, evaluate: seconds },
    versions: {
      feynkac: packageVersion(),
      torch: session.info.torch,
      python: session.info.python,
      node: process.version,
    },
    hardware: {
      device: session.info.device === 'cpu' ? 'cpu' : session.info.deviceName,
      cpu: cpus()[0]?.model ?? '',
      threads: session.info.threads,
    },
    commit: commit(),
    date: new Date().toISOString(),
    notes: [],
  }
  folder.writeRecord(record)
  return record
}

const percent = (count: { correct: number; n: number } | undefined): string =>
  count === undefined ? '-' : `${((100 * count.correct) / count.n).toFixed(1)} %`
