/**
 * Table 2 of "Sparsity Meets Robustness: Channel Pruning for the Feynman-Kac Formalism Principled Robust Deep Neural
 * Nets" (arXiv 2003.00631): channel pruning by RGSM during PGD adversarial training, beta = 1, lambda2 = 1e-5.
 * Published numbers are those of the OpenReview version, CIFAR-10, without intervals or standard deviations.
 */
import { accuracies, channelSparsity, weightSparsity } from './shared/columns'
import { defineTable } from './shared/define'
import { paperA } from './shared/footnotes'
import { beside, dense, publishedRows, rgsm } from './shared/rows'
import { ensembleIsMoreRobust, ensembleIsSparser, moreLambdaIsSparser, pruningKeepsAccuracy } from './shared/verdicts'

const row = publishedRows({ paper: 'A', table: 'A-2', dataset: 'CIFAR10' }, 'channelSparsity')
const baseline = 'unpruned AT baseline'

const published = [
  row(dense('ResNet20'), [76.07, 51.24, 47.25, 59.3, 0], baseline),
  row(rgsm('ResNet20', 0.05), [75.91, 51.52, 47.14, 58.77, 8]),
  row(rgsm('ResNet20', 0.1), [71.84, 48.23, 45.21, 57.09, 25.33]),
  row(dense('En2ResNet20'), [80.34, 57.11, 50.02, 66.77, 0], baseline),
  row(rgsm('En2ResNet20', 0.05), [78.28, 56.53, 49.58, 66.56, 41.48]),
  row(
    rgsm('En2ResNet20', 0.1),
    [75.87, 54.65, 47.77, 65.41, 56.74],
    'A-3 prints natural 0.7630 for the same run; use this value',
  ),
  row(dense('En5ResNet20'), [81.41, 58.21, 51.6, 66.48, 0], baseline),
  row(rgsm('En5ResNet20', 0.01), [81.46, 58.34, 51.35, 66.84, 19.76]),
  row(rgsm('En5ResNet20', 0.02), [80.53, 57.38, 50.63, 66.52, 53.36]),
]

const rows = beside(published)
const full = rows(published.map(({ network, method, hyper }) => ({ network, method, hyper })))

export default defineTable({
  name: 'sparsity-meets-robustness/table-2',
  title: 'RGSM channel pruning during adversarial training',
  source: 'Sparsity Meets Robustness (arXiv 2003.00631), Table 2',
  run: paperA,
  published,
  columns: [...accuracies, channelSparsity, weightSparsity],
  rows: {
    full,
    quick: full.slice(0, 6),
    small: rows([dense('ResNet8'), rgsm('ResNet8', 0.05), dense('En2ResNet8'), rgsm('En2ResNet8', 0.05)]),
  },
  claims: [ensembleIsSparser, moreLambdaIsSparser, pruningKeepsAccuracy, ensembleIsMoreRobust],
})
