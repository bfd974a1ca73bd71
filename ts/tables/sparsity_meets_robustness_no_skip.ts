/**
 * Networks without skip connections (appendix of "Sparsity Meets Robustness", arXiv 2003.00631), beside those with them.
 * The appendix was not read, so the rows without skips have no published number here.
 */
import { accuracies, channelSparsity } from './shared/columns'
import { defineTable } from './shared/define'
import { paperA } from './shared/footnotes'
import { beside, dense } from './shared/rows'
import table2 from './sparsity_meets_robustness_table_2'
import { skipsHelp } from './shared/verdicts'

const published = table2.published.filter(({ network, method }) => method === 'AT' && network !== 'En5ResNet20')
const rows = beside(published)
const cells = (networks: readonly string[]) =>
  rows(networks.flatMap((network) => [dense(network), dense(`${network} without skips`)]))

export default defineTable({
  name: 'sparsity-meets-robustness/no-skip',
  title: 'With and without skip connections',
  source: 'Sparsity Meets Robustness (arXiv 2003.00631), appendix; rows with skips: Table 2',
  run: paperA,
  published,
  columns: [...accuracies, channelSparsity],
  rows: {
    full: cells(['ResNet20', 'En2ResNet20']),
    quick: cells(['ResNet20']),
    small: cells(['ResNet8', 'En2ResNet8']),
  },
  claims: [skipsHelp],
})
