/** Costs as lines of text: one network, or several side by side with the share that is left. */
import type { Cost } from './cost'
import type { Latency } from './latency'

const whole = (value: number): string => Math.round(value).toLocaleString('en-US')

/** Bytes as `2.18 MB`: powers of 1,000. */
function bytes(value: number): string {
  if (value < 1000) return `${value} B`
  return value < 1e6 ? `${(value / 1e3).toFixed(2)} kB` : `${(value / 1e6).toFixed(2)} MB`
}

const milliseconds = ({ median, low, high }: Latency): string =>
  `${(1e3 * median).toFixed(2)} ms [${(1e3 * low).toFixed(2)}, ${(1e3 * high).toFixed(2)}]`

/** A row: its label, what each network has, and the number that is compared. */
interface Row<T> {
  readonly label: string
  readonly text: (value: T) => string
  readonly number: (value: T) => number | null
}

const ROWS: readonly Row<Cost>[] = [
  { label: 'parameters', number: (cost) => cost.parameters, text: (cost) => whole(cost.parameters) },
  { label: 'multiply-adds', number: (cost) => cost.multiplyAdds, text: (cost) => whole(cost.multiplyAdds) },
  {
    label: 'multiply-adds as Torch-Pruning',
    number: (cost) => cost.torchPruning,
    text: (cost) => whole(cost.torchPruning),
  },
  { label: 'bytes, float32', number: (cost) => cost.bytes, text: (cost) => bytes(cost.bytes) },
  {
    label: 'bytes of non-zero weights',
    number: (cost) => cost.nonZeroBytes,
    text: ({ nonZeroBytes }) => (nonZeroBytes === null ? '–' : bytes(nonZeroBytes)),
  },
  {
    label: 'activations at most, one image',
    number: (cost) => cost.peakActivationBytes,
    text: (cost) => bytes(cost.peakActivationBytes),
  },
]

/**
 * The costs of networks, each in a column with its name, and how much of the first the last one still has. One network alone has
 * neither names nor shares. `latency` adds a line; its networks have the same names.
 */
export function costLines(
  costs: Readonly<Record<string, Cost>>,
  latency?: Readonly<Record<string, Latency>>,
): string[] {
  const names = Object.keys(costs)
  const several = names.length > 1
  const table = several ? [['', ...names, `${names.at(-1)} / ${names[0]}`]] : []
  const add = <T>({ label, text, number }: Row<T>, of: Readonly<Record<string, T>>): void => {
    const values = names.map((name) => of[name]!)
    const [first, last] = [number(values[0]!), number(values.at(-1)!)]
    if (values.every((value) => number(value) === null)) return
    const share = first === null || last === null || first === 0 ? '–' : `${((100 * last) / first).toFixed(1)} %`
    table.push([label, ...values.map(text), ...(several ? [share] : [])])
  }
  for (const row of ROWS) add(row, costs)
  const times = names.flatMap((name) => latency?.[name] ?? [])
  const timed = latency !== undefined && times.length === names.length
  if (timed) {
    const left = `${(100 * times.at(-1)!.ratio.median).toFixed(1)} %`
    table.push(['time of a pass', ...times.map(milliseconds), ...(several ? [left] : [])])
  }
  const lines = aligned(table)
  if (timed) {
    const { batch, threads, device, n } = times[0]!
    const where = `${device}, ${threads} thread${threads === 1 ? '' : 's'}`
    lines.push(`time: batch ${batch}, ${where}, median of ${n} passes with its 95 % interval`)
  }
  for (const [name, { uncounted }] of Object.entries(costs))
    for (const what of uncounted) lines.push(`not counted${several ? ` in ${name}` : ''}: ${what}`)
  return lines
}

/** Labels to the left, numbers to the right; a lone column of numbers starts where the others do. */
function aligned(table: readonly (readonly string[])[]): string[] {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  return table.map((row) =>
    row
      .map((text, column) =>
        column === 0 || row.length === 2 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  )
}
