/** `feynkac inspect --norms`: channel sparsity and histogram of a list of norms, as the published scripts print them. */
import { readFileSync } from 'node:fs'
import { evenEdges, histogramOf } from '../records/histogram'
import { parseNormList, weightsInZeroChannels, ZERO_NORM, zeroNorms } from '../records/norms'
import { shareText } from '../report/paper_a/bars'
import { checksumOf, reportOfNorms, writeReport } from './checkpoint_report'
import type { Terminal } from './terminal'

/** Bins of the printed histogram. */
const EDGES = evenEdges(0, 1, 20)

export function inspectNorms(
  path: string,
  { report, json, terminal }: { report?: string; json?: boolean; terminal: Terminal },
): void {
  const layers = parseNormList(readFileSync(path, 'utf8'), path)
  const norms = layers.flatMap((layer) => layer.norms)
  const { zero, total } = zeroNorms(norms)
  const inside = weightsInZeroChannels(layers)
  const written = report === undefined ? null : writeReport(report, reportOfNorms(layers, path, again(path, report)))
  const nonzero = norms.filter((norm) => norm >= ZERO_NORM)
  const { counts, above } = histogramOf(nonzero, EDGES)
  if (json) {
    const result = {
      file: path,
      sha256: checksumOf(path),
      layers: layers.length,
      inputChannels: total,
      zeroChannels: zero,
      inputChannelSparsity: zero / total,
      weightsInZeroChannels: inside,
      below: { 1e-3: norms.filter((norm) => norm < 1e-3).length, 0.06: norms.filter((norm) => norm < 0.06).length },
      histogram: { edges: EDGES, counts, above },
      report: written,
    }
    terminal.result(JSON.stringify(result))
    return
  }
  terminal.result(`convolutions             ${layers.length}`)
  terminal.result(`input channels           ${zero} of ${total} zero (${shareText(zero, total)}), a norm below 1e-15`)
  if (inside !== null)
    terminal.result(
      `weights in zero channels ${inside.zero} of ${inside.total} (${shareText(inside.zero, inside.total)})`,
    )
  const most = Math.max(zero, above, ...counts)
  const bar = (label: string, n: number): void =>
    terminal.result(`${label.padEnd(24)} ${String(n).padStart(4)} ${'#'.repeat(Math.ceil((50 * n) / most))}`)
  bar('norm zero', zero)
  counts.forEach((n, i) => bar(`     ${EDGES[i]!.toFixed(2)} to ${EDGES[i + 1]!.toFixed(2)}`, n))
  if (above > 0) bar('     above 1', above)
  if (written !== null) terminal.note(`report: ${written}`)
}

const again = (path: string, report: string): string => `npx feynkac inspect --norms ${path} --report ${report}`
