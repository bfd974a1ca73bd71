/**
 * Table 2 of "Sparsity Meets Robustness: Channel Pruning for the Feynman-Kac Formalism Principled Robust Deep Neural
 * Nets" (arXiv 2003.00631): channel pruning by RGSM during PGD adversarial training, beta = 1, lambda2 = 1e-5.
 * Published numbers are those of the OpenReview version, CIFAR-10, without intervals or standard deviations.
 */
import { RecordError } from '../records/check'
import type { Count, Hyper, RunRecord, Zeros } from '../records/record'
import { buildRow, selectRuns } from './shared/build'
import { conditions } from './shared/facts'
import { footnotes } from './shared/footnotes'
import {
  networkParts,
  sameRow,
  type Column,
  type PublishedRow,
  type Row,
  type Table,
  type TableData,
} from './shared/table'
import { ensembleIsMoreRobust, ensembleIsSparser, moreLambdaIsSparser, pruningKeepsAccuracy } from './shared/verdicts'

const name = 'sparsity-meets-robustness/table-2'
const title = 'RGSM channel pruning during adversarial training'
const source = 'Sparsity Meets Robustness (arXiv 2003.00631), Table 2'

/** What every published row of the table was trained and tested on. */
const publishedRun = { dataset: 'CIFAR10', title: 'CIFAR-10', epochs: 200, images: 45000 }

const dense: Hyper = { beta: null, lambda: null, lambda1: null, lambda2: null }
const rgsm = (lambda1: number): Hyper => ({ beta: 1, lambda: null, lambda1, lambda2: 1e-5 })

type Printed = [natural: number, fgsm: number, ifgsm20: number, cw: number, channelSparsity: number]

function row(network: string, lambda1: number | null, printed: Printed, note: string | null = null): PublishedRow {
  const [natural, fgsm, ifgsm20, cw, channelSparsity] = printed
  const method = lambda1 === null ? 'AT' : 'RGSM'
  const hyper = lambda1 === null ? dense : rgsm(lambda1)
  const accuracies = { natural, fgsm, ifgsm20, cw }
  return {
    paper: 'A',
    table: 'A-2',
    dataset: 'CIFAR10',
    network,
    method,
    hyper,
    ...accuracies,
    weightSparsity: null,
    channelSparsity,
    note,
  }
}

const baseline = 'unpruned AT baseline'
const mismatch = 'A-3 prints natural 0.7630 for the same run; use this value'

const published: readonly PublishedRow[] = [
  row('ResNet20', null, [0.7607, 0.5124, 0.4725, 0.593, 0], baseline),
  row('ResNet20', 0.05, [0.7591, 0.5152, 0.4714, 0.5877, 0.08]),
  row('ResNet20', 0.1, [0.7184, 0.4823, 0.4521, 0.5709, 0.2533]),
  row('En2ResNet20', null, [0.8034, 0.5711, 0.5002, 0.6677, 0], baseline),
  row('En2ResNet20', 0.05, [0.7828, 0.5653, 0.4958, 0.6656, 0.4148]),
  row('En2ResNet20', 0.1, [0.7587, 0.5465, 0.4777, 0.6541, 0.5674], mismatch),
  row('En5ResNet20', null, [0.8141, 0.5821, 0.516, 0.6648, 0], baseline),
  row('En5ResNet20', 0.01, [0.8146, 0.5834, 0.5135, 0.6684, 0.1976]),
  row('En5ResNet20', 0.02, [0.8053, 0.5738, 0.5063, 0.6652, 0.5336]),
]

const counted = (count: Count | undefined) => (count === undefined ? null : { part: count.correct, whole: count.n })
const zeros = ({ zero, total }: Zeros) => ({ part: zero, whole: total })

const columns: readonly Column[] = [
  {
    key: 'natural',
    title: 'Natural',
    kind: 'accuracy',
    read: ({ measured }: RunRecord) => counted(measured.natural),
    published: (row) => row.natural,
  },
  {
    key: 'fgsm',
    title: 'FGSM',
    kind: 'accuracy',
    read: ({ measured }) => counted(measured.attacks['fgsm']),
    published: (row) => row.fgsm,
  },
  {
    key: 'ifgsm20',
    title: 'IFGSM20',
    kind: 'accuracy',
    read: ({ measured }) => counted(measured.attacks['ifgsm20']),
    published: (row) => row.ifgsm20,
  },
  {
    key: 'cw',
    title: 'C&W',
    kind: 'accuracy',
    read: ({ measured }) => counted(measured.attacks['cw_paper']),
    published: (row) => row.cw,
  },
  {
    key: 'inputChannelSparsity',
    title: 'Channel sparsity',
    kind: 'sparsity',
    read: ({ sparsity }) => zeros(sparsity.inputChannels),
    published: (row) => row.channelSparsity,
  },
  {
    key: 'weightSparsity',
    title: 'Weight sparsity',
    kind: 'sparsity',
    read: ({ sparsity }) => zeros(sparsity.convWeights),
    published: (row) => row.weightSparsity,
  },
]

type PresetRow = readonly [network: string, lambda1: readonly (number | null)[]]

const paperRows: readonly PresetRow[] = [
  ['ResNet20', [null, 0.05, 0.1]],
  ['En2ResNet20', [null, 0.05, 0.1]],
  ['En5ResNet20', [null, 0.01, 0.02]],
]

/** Networks and lambda1 of each preset (null: dense); `smoke` uses a smaller net and sits beside the ResNet20 rows. */
const presets: Record<string, readonly PresetRow[]> = {
  smoke: [
    ['ResNet8', [null, 0.05]],
    ['En2ResNet8', [null, 0.05]],
  ],
  quick: paperRows.slice(0, 2),
  paper: paperRows,
  paper_text: paperRows,
}

function rows(preset: string): Row[] {
  const nets = Object.hasOwn(presets, preset) ? presets[preset] : undefined
  if (nets === undefined) {
    const known = Object.keys(presets).join(', ')
    throw new RecordError(`Expected \`preset\` to be one of ${known}, got \`${preset}\` (string)`)
  }
  return nets.flatMap(([network, lambdas]) =>
    lambdas.map((lambda1): Row => {
      const method = lambda1 === null ? 'AT' : 'RGSM'
      const hyper = lambda1 === null ? dense : rgsm(lambda1)
      return { network, method, hyper, published: publishedBeside({ network, method, hyper }) }
    }),
  )
}

/** The published row of the same kind of network: En2ResNet8 sits beside En2ResNet20. */
function publishedBeside({ network, method, hyper }: Omit<Row, 'published'>): PublishedRow | null {
  const { ensemble, members } = networkParts(network)
  const kind = ensemble ? `En${members}ResNet20` : 'ResNet20'
  return published.find((row) => sameRow(row, { network: kind, method, hyper })) ?? null
}

function build(records: readonly RunRecord[], preset: string): TableData {
  const mine = records.filter((record) => record.table === name && record.preset === preset)
  const selections = rows(preset).map((row) => ({ row, ...selectRuns(row, mine) }))
  const built = selections.map(({ row, used }) => buildRow(row, used, columns))
  const used = built.flatMap((row) => row.records)
  const data = [...new Set(used.map((record) => record.data.name))].join(', ')
  return {
    table: name,
    title,
    source,
    preset,
    data: data === '' ? null : data,
    columns: columns.map(({ key, title, kind }) => ({ key, title, kind })),
    rows: built,
    footnotes: footnotes(built, publishedRun),
    conditions: conditions(used),
    verdicts: [ensembleIsSparser, moreLambdaIsSparser, pruningKeepsAccuracy, ensembleIsMoreRobust].flatMap((judge) =>
      judge(built),
    ),
    missing: built.flatMap(({ network, method, hyper, cells }) => {
      const gone = cells.filter((cell) => cell.measured === null).map((cell) => cell.column)
      return gone.length === 0 ? [] : [{ network, method, hyper, columns: gone }]
    }),
    leftOut: selections.flatMap((selection) => selection.leftOut),
  }
}

export default { name, title, source, published, columns, presets: Object.keys(presets), rows, build } satisfies Table
