/** What a reader has to know before comparing numbers; marks are given in order of appearance. */
import type { RunRecord } from '../../records/record'
import { sameData } from './build'
import { networkParts, type Column, type ColumnKey, type Footnote, type TableRow } from './table'

const robust: ColumnKey[] = ['fgsm', 'ifgsm20', 'cw']

/** Data and training length of the published rows. */
export interface PublishedRun {
  dataset: 'CIFAR10' | 'CIFAR100'
  title: string
  epochs: number
  images: number
}

/** Paper A trained on 45,000 images and chose the epoch on 5,000. */
export const paperA: PublishedRun = { dataset: 'CIFAR10', title: 'CIFAR-10', epochs: 200, images: 45000 }
export const cifar100: PublishedRun = { dataset: 'CIFAR100', title: 'CIFAR-100', epochs: 200, images: 45000 }
/** Paper C trained on all images. */
export const paperC: PublishedRun = { dataset: 'CIFAR10', title: 'CIFAR-10', epochs: 200, images: 50000 }
export const paperC100: PublishedRun = { dataset: 'CIFAR100', title: 'CIFAR-100', epochs: 200, images: 50000 }

export function footnotes(
  rows: readonly TableRow[],
  columns: readonly Pick<Column, 'key' | 'published'>[],
  publishedRun: PublishedRun,
  more: readonly string[] = [],
): Footnote[] {
  const printed = (key: ColumnKey): boolean => {
    const column = columns.find((column) => column.key === key)
    return rows.some(({ published }) => published !== null && (column?.published(published) ?? null) !== null)
  }
  const records = rows.flatMap((row) => row.records)
  const noisy = rows.some((row) => networkParts(row.network).ensemble)
  const here = ({ columns: keys }: Omit<Footnote, 'mark'>): boolean =>
    keys.length === 0 || keys.some((key) => columns.some((column) => column.key === key))
  const notes: Omit<Footnote, 'mark'>[] = [
    {
      columns: ['natural', ...robust],
      text:
        'Single runs carry their 95 % Wilson interval over test images, several seeds the mean ± standard deviation; ' +
        'the interval does not cover the spread between training runs. Published numbers come without either.',
    },
    {
      columns: ['cw'],
      text:
        'The variant of the paper’s code (`cw_paper`): it starts from the class the network predicts, right or wrong, and ' +
        'moves to the runner-up. An image that was misclassified can be pushed onto its true class and then counts as ' +
        'correct, so this column can exceed the natural accuracy; it is no lower bound on robustness.',
    },
    {
      columns: ['inputChannelSparsity'],
      text: 'Share of input channels (slices w[:, i, :, :] of every convolution, first one and downsampling included) that are zero, which is a norm below 1e-15.',
    },
    {
      columns: ['weightSparsity'],
      text:
        'Share of exactly zero entries in all convolution weights; ' +
        (printed('weightSparsity')
          ? 'the denominator of the published one is not stated.'
          : 'paper A prints none here.'),
    },
    ...(noisy ? noiseNotes : []),
    ...more.map((text) => ({ columns: [], text })),
    ...dataNotes(records, rows, publishedRun),
    ...[...new Set(records.flatMap((record) => record.notes))].map((text) => ({ columns: [], text })),
  ]
  return notes
    .filter(here)
    .map((note, i) => ({ mark: String.fromCharCode(97 + (i % 26)).repeat(1 + Math.floor(i / 26)), ...note }))
}

const noiseNotes: Omit<Footnote, 'mark'>[] = [
  {
    columns: robust,
    text:
      'En networks keep their noise on at test time and the attacks follow the gradient of a single noise draw a step, as ' +
      'published. That overstates the robustness of noisy networks: an attack with more steps, or one that averages the ' +
      'gradient over draws, is stronger.',
  },
  {
    columns: [],
    text:
      'The noise has the standard deviation of the whole batch, so accuracies of En networks depend slightly on the ' +
      'evaluation batch (paper A: 100 images, C&W one).',
  },
]

function dataNotes(records: RunRecord[], rows: readonly TableRow[], run: PublishedRun): Omit<Footnote, 'mark'>[] {
  const other = records.filter(({ data }) => !sameData(data.name, run.dataset))
  const copies = records.filter(({ data }) => sameData(data.name, run.dataset) && !data.official)
  const titles = (list: RunRecord[]): string => [...new Set(list.map(({ data }) => data.title))].join(', ')
  const notes: Omit<Footnote, 'mark'>[] = []
  if (other.length > 0) {
    notes.push({
      columns: [],
      text: `Measured on ${titles(other)}, published on ${run.title}: shown side by side for the pattern, not for the values, hence without a difference.`,
    })
  }
  if (copies.length > 0) {
    notes.push({
      columns: [],
      text: `${titles(copies)} does not have the checksum of the official release (a copy that went through JPEG, for example, gives other accuracies): no difference from the published rows is printed.`,
    })
  }
  if (rows.some((row) => row.comparable)) {
    notes.push({
      columns: [],
      text: 'Differences are measured minus published. Below 1 to 1.5 points they are within what another run of the same paper shows; only `cw_paper` may be compared with the published C&W column.',
    })
  }
  const shorter = records.filter((record) => record.epochs < run.epochs || record.data.trainN < run.images)
  if (shorter.length > 0) {
    const lengths = [...new Set(shorter.map((r) => `${r.epochs} epochs on ${count(r.data.trainN)} images`))].join('; ')
    notes.push({
      columns: [],
      text: `Trained for ${lengths}; the published rows for ${run.epochs} epochs on ${count(run.images)} images.`,
    })
  }
  if (records.length > 0) notes.push({ columns: [], text: selectionText(records) })
  return notes
}

/** Which epoch's weights were tested; the authors' released scripts choose it on the test set, which we never do. */
function selectionText(records: readonly RunRecord[]): string {
  const validated = records.filter(choosesBest)
  const ours =
    validated.length === 0
      ? 'The last epoch is tested'
      : validated.length === records.length
        ? 'The epoch with the best adversarial accuracy on images set aside from the training split is tested'
        : 'Rows with validation images test their best epoch on those, the others their last epoch'
  return `${ours}; the released scripts of the paper choose the epoch on the test set, its text names a split of 45,000 and 5,000 images.`
}

/** Records of other tools may have another configuration: those with validation images are taken to choose by them. */
function choosesBest({ data, config }: RunRecord): boolean {
  const train = config['train'] as { validation?: { selection?: unknown } } | undefined
  return data.validationN > 0 && train?.validation?.selection !== 'last'
}

const count = (n: number): string => n.toLocaleString('en-US')
