/**
 * RGSM on CIFAR-100 (appendix of "Sparsity Meets Robustness", arXiv 2003.00631). The appendix was not read: the dense
 * rows are compared with the poster of EnResNet (arXiv 1811.10745), the pruned ones have no published number here.
 */
import { accuracies, channelSparsity, weightSparsity } from './shared/columns'
import { defineTable } from './shared/define'
import { cifar100 } from './shared/footnotes'
import { beside, dense, publishedRows, rgsm } from './shared/rows'
import { ensembleIsMoreRobust, ensembleIsSparser, moreLambdaIsSparser, pruningKeepsAccuracy } from './shared/verdicts'

const row = publishedRows({ paper: 'C', table: 'C-poster-CIFAR100', dataset: 'CIFAR100' }, 'channelSparsity')

const published = [
  row(dense('ResNet20'), [46.02, 24.77, 23.23, 32.42, null], 'poster of EnResNet'),
  row(dense('En2ResNet20'), [50.68, 30.2, 26.25, 40.06, null], 'poster of EnResNet'),
]

const rows = beside(published)
const cells = (networks: readonly string[], lambda1: readonly number[]) =>
  rows(networks.flatMap((network) => [dense(network), ...lambda1.map((value) => rgsm(network, value))]))

export default defineTable({
  name: 'sparsity-meets-robustness/cifar100',
  title: 'RGSM channel pruning on CIFAR-100',
  source: 'Sparsity Meets Robustness (arXiv 2003.00631), appendix; dense rows: poster of EnResNet (arXiv 1811.10745)',
  run: cifar100,
  published,
  columns: [...accuracies, channelSparsity, weightSparsity],
  rows: {
    full: cells(['ResNet20', 'En2ResNet20'], [0.05, 0.1]),
    quick: cells(['ResNet20', 'En2ResNet20'], [0.05]),
    small: cells(['ResNet8', 'En2ResNet8'], [0.05]),
  },
  claims: [ensembleIsSparser, moreLambdaIsSparser, pruningKeepsAccuracy, ensembleIsMoreRobust],
})
