/**
 * feynkac: adversarial training, relaxed-splitting pruning and honest attacks of Feynman-Kac ensembles. TypeScript traces, PyTorch replays.
 * Single algorithms can also be imported by path, such as `feynkac/attacks/pgd`.
 */
export {
  BackpressureError,
  CancelledError,
  FeynkacError,
  NonFiniteError,
  OutOfMemoryError,
  PlanError,
  ProtocolError,
  ServiceError,
  TimeoutError,
  TorchOpError,
  WorkerLostError,
} from '../bridge/errors'
export * from './tensor/functions'
export * from './tensor/kinds'
export { type IntScalar, type PlanFunction, type PlanOptions, int, plan } from './tensor/plan'
export * from './tensor/session'
export { Tensor } from './tensor/tensor'

export { default as cw } from './attacks/cw'
export { default as cwPaper } from './attacks/cw_paper'
export { default as fgsm } from './attacks/fgsm'
export { default as ifgsm } from './attacks/ifgsm'
export { default as pgd } from './attacks/pgd'
export { default as adversarialLoss } from './losses/adversarial'
export { default as naturalLoss } from './losses/natural'
export { default as groupL0 } from './penalties/group_l0'
export { default as groupLasso } from './penalties/group_lasso'
export { default as groupTransformedL1 } from './penalties/group_transformed_l1'
export { default as l0 } from './penalties/l0'
export { default as sparseChannels } from './penalties/sparse_channels'
export { default as sparseWeights } from './penalties/sparse_weights'
export { default as transformedL1 } from './penalties/transformed_l1'
export { default as constant } from './schedules/constant'
export { default as cubic } from './schedules/cubic'
export { default as linear } from './schedules/linear'
export { default as multistep } from './schedules/multistep'
export { default as admm } from './splitting/admm'
export { default as admmPaper } from './splitting/admm_paper'
export { default as rgsm } from './splitting/rgsm'
export { default as rvsm } from './splitting/rvsm'
export type { Readings } from './splitting/shared/readings'
export { default as linf } from './threats/linf'
export { type CraftOptions, craft } from './threats/shared/craft'

export { type Cost, type CostOptions, type LayerCost, cost } from './cost/cost'
export { type Latency, type LatencyOptions, latency } from './cost/latency'
export { costLines } from './cost/lines'
export { type Agreement, type AgreementOptions, agreement } from './compaction/agreement'
export { type CompactOptions, type CompactReport, type Compacted, compact } from './compaction/compact'
export type { ChannelGroup } from './compaction/groups'
export type { Change, LayerReport, RemovalReport, Stays } from './compaction/report'
export * from './evaluation/evaluate'
export * from './evaluation/layers'
export * from './evaluation/sparsity'
export * from './evaluation/suites'
export * from './evaluation/weights'
export {
  type AdmmOptions,
  type ChannelTarget,
  type SplittingConfig,
  type TargetOptions,
  type TrainAttack,
  type TrainConfig,
  admm as admmConfig,
  channelTarget,
  rgsm as rgsmConfig,
  rvsm as rvsmConfig,
} from './training/config'
export {
  type Cell,
  configure,
  type EvaluationSettings,
  type Preset,
  preset,
  type PresetData,
  presets,
  type PublishedData,
  type RunChoice,
} from './training/presets'
export { type RecalibrateOptions, recalibrate } from './training/recalibrate'
export type { EpochMetrics } from './training/state'
export { type TrainFolder, type TrainOptions, type TrainResult, train } from './training/train'

export { type FoundRuns, findRecords } from './records/find'
export { type Interval, meanStd, wilson } from './records/intervals'
export { type Histogram, evenEdges, histogramOf } from './records/histogram'
export { type NormLayer, parseNormList, weightsInZeroChannels, zeroNorms } from './records/norms'
export type { Spread } from './records/median'
export { type RunRecord, parseRecord } from './records/record'
export { RunFolder } from './records/run_folder'
export { default as enresnetCifar10 } from './tables/enresnet_cifar10'
export { default as enresnetCifar100 } from './tables/enresnet_cifar100'
export { default as sparsityMeetsRobustnessCifar100 } from './tables/sparsity_meets_robustness_cifar100'
export { default as sparsityMeetsRobustnessNoSkip } from './tables/sparsity_meets_robustness_no_skip'
export { default as sparsityMeetsRobustnessTable1 } from './tables/sparsity_meets_robustness_table_1'
export { default as sparsityMeetsRobustnessTable2 } from './tables/sparsity_meets_robustness_table_2'
export { default as sparsityMeetsRobustnessTable3 } from './tables/sparsity_meets_robustness_table_3'
export { default as sparsityMeetsRobustnessTable4 } from './tables/sparsity_meets_robustness_table_4'
export type { Table, TableData } from './tables/shared/table'
export { toCsv } from './report/csv'
export { type CheckpointReport, type ReportLayer, type ReportWeights, toCheckpointHtml } from './report/checkpoint'
export { type Figure, type FigureOptions, figuresOf } from './report/figures'
export { toHtml } from './report/html'
export { toJson } from './report/json'
export type { LambdaPoint } from './report/lambda_panel'
export { toLatex } from './report/latex'
export { toMarkdown } from './report/markdown'
export { accuracyFigure, sparsityFigure } from './report/paper_a/lambda'
export { type Quantity, lambdaPoints, lambdaRuns } from './report/paper_a/lambda_points'
export { type LayerPanel, layerFigure } from './report/paper_a/layer'
export { type NormPanel, normFigure } from './report/paper_a/norms'
export { type WeightPanel, weightFigure } from './report/paper_a/weights'
export { toPng, toSvg } from './report/render'
export { scalarsOf } from './report/scalars'
export { type LoggedScalar, toEventFile } from './report/tensorboard'
export { toTerminal } from './report/terminal'
