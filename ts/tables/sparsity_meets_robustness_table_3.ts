/**
 * Table 3 of "Sparsity Meets Robustness" (arXiv 2003.00631): En2ResNet20 against ResNet38, which has as many parameters
 * (0.54 M and 0.56 M), dense and with RGSM, beta = 1, lambda2 = 1e-5. (Its caption names RVSM; it is RGSM.)
 */
import { accuracies, channelSparsity } from './shared/columns'
import { defineTable } from './shared/define'
import { paperA } from './shared/footnotes'
import { beside, dense, publishedRows, rgsm } from './shared/rows'
import { moreLambdaIsSparser, pruningKeepsAccuracy, sizedEnsembleIsBetter } from './shared/verdicts'

const row = publishedRows({ paper: 'A', table: 'A-3', dataset: 'CIFAR10' }, 'channelSparsity')
const baseline = 'unpruned AT baseline'

const published = [
  row(dense('En2ResNet20'), [80.34, 57.11, 50.02, 66.77, 0], baseline),
  row(dense('ResNet38'), [78.03, 54.09, 49.81, 61.72, 0], baseline),
  row(rgsm('En2ResNet20', 0.05), [78.28, 56.53, 49.58, 66.56, 41.48]),
  row(rgsm('ResNet38', 0.05), [77.92, 53.51, 49.35, 60.32, 17.67]),
  row(
    rgsm('En2ResNet20', 0.1),
    [75.87, 54.65, 47.77, 65.41, 56.74],
    'A-3 prints natural 0.7630, A-2 and the text 0.7587 for the same run: 0.7587 is used',
  ),
  row(rgsm('ResNet38', 0.1), [72.95, 49.78, 46.48, 57.92, 43.8]),
]

const rows = beside(published)
const cells = (ensemble: string, single: string, lambda1: readonly number[]) => [
  dense(ensemble),
  dense(single),
  ...lambda1.flatMap((value) => [rgsm(ensemble, value), rgsm(single, value)]),
]

export default defineTable({
  name: 'sparsity-meets-robustness/table-3',
  title: 'An ensemble against a deeper network of the same size',
  source: 'Sparsity Meets Robustness (arXiv 2003.00631), Table 3',
  run: paperA,
  published,
  columns: [...accuracies, channelSparsity],
  rows: {
    full: rows(cells('En2ResNet20', 'ResNet38', [0.05, 0.1])),
    quick: rows(cells('En2ResNet20', 'ResNet38', [0.05])),
    small: rows(cells('En2ResNet8', 'ResNet14', [0.05])),
  },
  claims: [sizedEnsembleIsBetter, moreLambdaIsSparser, pruningKeepsAccuracy],
})
