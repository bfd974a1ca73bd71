/**
 * Adversarially trained EnResNets on CIFAR-10 (poster of "ResNets Ensemble via the Feynman-Kac Formalism to Improve
 * Natural and Robust Accuracies", NeurIPS 2019, arXiv 1811.10745). No standard deviations are published.
 */
import { accuracies } from './shared/columns'
import { defineTable } from './shared/define'
import { paperC } from './shared/footnotes'
import { beside, dense, publishedRows } from './shared/rows'
import { ensembleIsMoreAccurate, ensembleIsMoreRobust } from './shared/verdicts'

const row = publishedRows({ paper: 'C', table: 'C-poster-CIFAR10', dataset: 'CIFAR10' }, 'channelSparsity')

const published = [
  row(dense('ResNet20'), [75.11, 50.89, 46.03, 58.73, null]),
  row(dense('En1ResNet20'), [77.21, 55.35, 49.06, 65.69, null]),
  row(dense('En2ResNet20'), [80.34, 57.23, 50.06, 66.47, null]),
  row(dense('En5ResNet20'), [82.52, 58.92, 51.48, 67.73, null]),
  row(
    dense('En5WideResNet34-10'),
    [86.19, 61.82, 56.6, 69.32, null],
    'network name as printed on the poster; possibly En1WideResNet34-10; its published script has other constants than the preset (80 epochs, 0.1 until epoch 75, IFGSM step 0.003)',
  ),
]

const rows = beside(published)
const cells = (networks: readonly string[]) => rows(networks.map(dense))

export default defineTable({
  name: 'enresnet/cifar10',
  title: 'Feynman-Kac ensembles under adversarial training, CIFAR-10',
  source: 'EnResNet (arXiv 1811.10745), poster',
  run: paperC,
  published,
  columns: accuracies,
  rows: {
    full: cells(published.map(({ network }) => network)),
    quick: cells(['ResNet20', 'En1ResNet20', 'En2ResNet20']),
    small: cells(['ResNet8', 'En1ResNet8', 'En2ResNet8', 'En5ResNet8']),
  },
  claims: [ensembleIsMoreAccurate, ensembleIsMoreRobust],
})
