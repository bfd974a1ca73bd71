/** Columns of the papers' tables: A1 natural, A2 FGSM, A3 IFGSM20, A4 C&W, and both sparsities of paper A. */
import type { Count, RunRecord, Zeros } from '../../records/record'
import type { Column } from './table'

const counted = (count: Count | undefined) => (count === undefined ? null : { part: count.correct, whole: count.n })
const zeros = ({ zero, total }: Zeros) => ({ part: zero, whole: total })

export const accuracies: readonly Column[] = [
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
]

export const channelSparsity: Column = {
  key: 'inputChannelSparsity',
  title: 'Channel sparsity',
  kind: 'sparsity',
  read: ({ sparsity }) => zeros(sparsity.inputChannels),
  published: (row) => row.channelSparsity,
}

export const weightSparsity: Column = {
  key: 'weightSparsity',
  title: 'Weight sparsity',
  kind: 'sparsity',
  read: ({ sparsity }) => zeros(sparsity.convWeights),
  published: (row) => row.weightSparsity,
}
