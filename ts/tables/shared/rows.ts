/** Rows as the papers print them, and rows of a preset beside them. */
import type { Hyper } from '../../records/record'
import { sameRow, type PublishedRow, type Row, type RowIdentity } from './table'

const none: Hyper = { beta: null, lambda: null, lambda1: null, lambda2: null }

/** Adversarial training without pruning. */
export const dense = (network: string): RowIdentity => ({ network, method: 'AT', hyper: none })

/** Channel pruning with the constants of paper A's tables: beta = 1, lambda2 = 1e-5. */
export const rgsm = (network: string, lambda1: number): RowIdentity => ({
  network,
  method: 'RGSM',
  hyper: { beta: 1, lambda: null, lambda1, lambda2: 1e-5 },
})

/** Unstructured pruning with the lambda of paper A's Table 1. */
export const rvsm = (network: string, beta: number): RowIdentity => ({
  network,
  method: 'RVSM',
  hyper: { ...none, beta, lambda: 1e-6 },
})

/** ADMM for a share of zeros, in %; `paper` is the variant of the published script. */
export const admm = (
  network: string,
  of: 'weights' | 'channels',
  percent: number,
  variant: 'correct' | 'paper',
): RowIdentity => ({
  network,
  method: `ADMM ${of} ${percent} %${variant === 'paper' ? ' (paper)' : ''}`,
  hyper: none,
})

/** A1 to A4 in %, then the printed sparsity in %; null where nothing is printed. */
export type Printed = readonly [natural: number, fgsm: number, ifgsm20: number, cw: number, sparsity: number | null]

/** Makes the published rows of one table. */
export const publishedRows =
  (table: Pick<PublishedRow, 'paper' | 'table' | 'dataset'>, sparsity: 'weightSparsity' | 'channelSparsity') =>
  (row: RowIdentity, printed: Printed, note: string | null = null): PublishedRow => {
    const [natural, fgsm, ifgsm20, cw, sparse] = printed.map((value) => (value === null ? null : fraction(value)))
    const accuracies = { natural: natural!, fgsm: fgsm!, ifgsm20: ifgsm20!, cw: cw! }
    return { ...table, ...row, ...accuracies, weightSparsity: null, channelSparsity: null, [sparsity]: sparse, note }
  }

/** Per cent with two decimals as a fraction with four: 76.07 -> 0.7607, without binary noise. */
const fraction = (percent: number): number => Math.round(percent * 100) / 1e4

/** Which published network stands beside a small one. */
const STANDS_FOR: Readonly<Record<string, string>> = { ResNet8: 'ResNet20', ResNet14: 'ResNet38' }

/** Sets each row beside the published row of the same method and constants, for a small network of the same kind. */
export const beside =
  (published: readonly PublishedRow[]) =>
  (rows: readonly RowIdentity[]): Row[] =>
    rows.map((row) => {
      const network = row.network.replace(/ResNet\d+/, (base) => STANDS_FOR[base] ?? base)
      return { ...row, published: published.find((other) => sameRow(other, { ...row, network })) ?? null }
    })
