/**
 * Table 1 of "Sparsity Meets Robustness" (arXiv 2003.00631): unstructured pruning by RVSM during PGD adversarial
 * training, lambda = 1e-6. The denominator of the published sparsity is not stated; ours is all convolution weights.
 */
import { accuracies, weightSparsity } from './shared/columns'
import { defineTable } from './shared/define'
import { paperA } from './shared/footnotes'
import { beside, dense, publishedRows, rvsm } from './shared/rows'
import { ensembleIsMoreRobust, ensembleIsSparser, pruningKeepsAccuracy, smallerBetaIsSparser } from './shared/verdicts'

const row = publishedRows({ paper: 'A', table: 'A-1', dataset: 'CIFAR10' }, 'weightSparsity')
const baseline = 'unpruned AT baseline'

const published = [
  row(dense('ResNet20'), [76.07, 51.24, 47.25, 59.3, 0], baseline),
  row(rvsm('ResNet20', 0.01), [70.26, 46.68, 43.79, 55.59, 80.91]),
  row(rvsm('ResNet20', 0.1), [73.45, 49.48, 45.79, 57.72, 56.88]),
  row(rvsm('ResNet20', 0.5), [74.08, 50.64, 46.67, 57.24, 39.92]),
  row(dense('En2ResNet20'), [80.34, 57.11, 50.02, 66.77, 0], baseline),
  row(rvsm('En2ResNet20', 0.01), [72.81, 51.98, 46.62, 63.1, 89.86]),
  row(rvsm('En2ResNet20', 0.1), [77.78, 55.48, 49.26, 65.56, 70.55]),
  row(rvsm('En2ResNet20', 0.5), [78.47, 56.13, 49.54, 65.57, 56.34]),
]

const rows = beside(published)
const cells = (network: string, betas: readonly number[]) => [
  dense(network),
  ...betas.map((beta) => rvsm(network, beta)),
]

export default defineTable({
  name: 'sparsity-meets-robustness/table-1',
  title: 'RVSM unstructured pruning during adversarial training',
  source: 'Sparsity Meets Robustness (arXiv 2003.00631), Table 1',
  run: paperA,
  published,
  columns: [...accuracies, weightSparsity],
  rows: {
    full: rows([...cells('ResNet20', [0.01, 0.1, 0.5]), ...cells('En2ResNet20', [0.01, 0.1, 0.5])]),
    quick: rows(cells('ResNet20', [0.01, 0.1])),
    small: rows([...cells('ResNet8', [0.01, 0.1]), ...cells('En2ResNet8', [0.01, 0.1])]),
  },
  claims: [ensembleIsSparser, smallerBetaIsSparser, pruningKeepsAccuracy, ensembleIsMoreRobust],
})
