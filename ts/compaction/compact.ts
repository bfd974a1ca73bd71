/** Removes the channels of a network that nobody reads: exact, in evaluation and in training (docs/compaction.md). */
import type { Widths } from '../tensor/graph'
import type { Model } from '../tensor/model'
import { expectNumber } from '../tensor/options'
import type { Session } from '../tensor/session'
import { readLinks } from './read_links'
import { LEAST_SHARE, planRemoval } from './removal'
import { type Change, type RemovalReport, reportOf } from './report'

/** What is compacted. */
export interface CompactOptions {
  readonly session: Session
  /** Stays as it is. */
  readonly model: Model
  /** Channels, height and width of an image. */
  readonly size: readonly [channels: number, height: number, width: number]
  /**
   * The least share of a tensor's channels for which a layer that reads only the others selects them first, in [0, 1]: selecting costs a
   * copy. 1 makes no selection unless all channels but one go.
   */
  readonly least?: number
}

/** What was removed, and how many numbers are left. */
export interface CompactReport extends RemovalReport {
  /** Trainable numbers. */
  readonly parameters: Change
}

/** A smaller network. */
export interface Compacted {
  /** Gives the same logits as the one before; the same object when there was nothing to remove. */
  readonly model: Model
  /** Which channels stayed: with the name and options of the network all that is needed to build it again. */
  readonly widths: Widths
  readonly report: CompactReport
}

/**
 * Finds what a network computes (torch.fx), which of its channels nobody reads, and makes a network without them. Only weights that are
 * exactly 0 count. Rejects with one sentence when the network cannot be traced.
 */
export async function compact({ session, model, size, least = LEAST_SHARE }: CompactOptions): Promise<Compacted> {
  expectNumber('least', least, { least: 0, most: 1 })
  const [graph, links] = await Promise.all([model.graph(size), readLinks({ session, model })])
  const removal = planRemoval(graph, links, { least })
  const { widths } = removal
  const small = Object.keys(widths.layers).length === 0 ? model : await model.narrow(widths)
  const parameters = { before: model.description.trainable, after: small.description.trainable }
  return { model: small, widths, report: { parameters, ...reportOf(graph, removal) } }
}
