/**
 * Adversarially trained EnResNets on CIFAR-100 (poster of "ResNets Ensemble via the Feynman-Kac Formalism to Improve
 * Natural and Robust Accuracies", NeurIPS 2019, arXiv 1811.10745). No standard deviations are published.
 */
import { accuracies } from './shared/columns'
import { defineTable } from './shared/define'
import { paperC100 } from './shared/footnotes'
import { beside, dense, publishedRows } from './shared/rows'
import { ensembleIsMoreAccurate, ensembleIsMoreRobust } from './shared/verdicts'

const row = publishedRows({ paper: 'C', table: 'C-poster-CIFAR100', dataset: 'CIFAR100' }, 'channelSparsity')

const published = [
  row(dense('ResNet20'), [46.02, 24.77, 23.23, 32.42, null]),
  row(dense('En2ResNet20'), [50.68, 30.2, 26.25, 40.06, null]),
  row(dense('En5ResNet20'), [51.72, 31.64, 27.8, 40.44, null]),
]

const rows = beside(published)
const cells = (networks: readonly string[]) => rows(networks.map(dense))

export default defineTable({
  name: 'enresnet/cifar100',
  title: 'Feynman-Kac ensembles under adversarial training, CIFAR-100',
  source: 'EnResNet (arXiv 1811.10745), poster',
  run: paperC100,
  published,
  columns: accuracies,
  rows: {
    full: cells(published.map(({ network }) => network)),
    quick: cells(['ResNet20', 'En2ResNet20']),
    small: cells(['ResNet8', 'En1ResNet8', 'En2ResNet8', 'En5ResNet8']),
  },
  claims: [ensembleIsMoreAccurate, ensembleIsMoreRobust],
})
