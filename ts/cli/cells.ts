/**
 * Runs the cells of a table, one after the other or several side by side, each of those in a worker of its own. A cell
 * that was recorded before is reused; one that was stopped goes on from its last epoch.
 */
import { RunFolder } from '../records/run_folder'
import { type Experiment, configurationOf, runExperiment, titleOf } from './experiment'
import type { KnownData } from './known'
import { loadBoth } from './load_data'
import { withSession } from './session'
import type { Terminal } from './terminal'

/** The folder below `runs` that all tables share: a dense network belongs to several of them and is trained once. */
export const CELLS = 'tables'

type Versions = Parameters<typeof configurationOf>[1]

export interface CellOptions {
  readonly runs: string
  readonly data: string
  readonly dataRoot?: string
  readonly device: string
  readonly threads: number
  /** How many run side by side. */
  readonly jobs: number
  readonly fresh?: boolean
  readonly versions: Versions
  readonly terminal: Terminal
  readonly experiments: (known: KnownData) => readonly Experiment[]
}

/** Whether every experiment has a record. */
export function finished(experiments: readonly Experiment[], runs: string, versions: Versions): boolean {
  return experiments.every((experiment) => {
    using folder = RunFolder.open(runs, CELLS, configurationOf(experiment, versions))
    return folder.readRecord() !== null
  })
}

/**
 * Runs every experiment that has no record yet. When one fails the other jobs finish the cells they are in; the first
 * failure is thrown.
 */
export async function runCells(options: CellOptions): Promise<void> {
  const { experiments, jobs } = options
  // every job takes the next cell that nobody has taken
  let next = 0
  let failed = false
  const job = async (): Promise<void> => {
    try {
      await withSession(options, options.terminal, async (session, signal) => {
        const data = await loadBoth(session, options.runs, options.data, options.dataRoot)
        const all = experiments(data.known)
        while (next < all.length && !failed) {
          signal.throwIfAborted()
          const experiment = all[next++]!
          await session.scope(() => runCell(experiment, { ...options, session, data, signal }))
        }
      })
    } catch (error) {
      failed = true
      throw error
    }
  }
  const results = await Promise.allSettled(Array.from({ length: jobs }, job))
  const failure = results.find((result) => result.status === 'rejected')
  if (failure !== undefined) throw failure.reason
}

type CellTools = Omit<Parameters<typeof runExperiment>[1], 'folder'> & Pick<CellOptions, 'runs' | 'versions' | 'fresh'>

async function runCell(experiment: Experiment, { runs, versions, fresh, ...tools }: CellTools): Promise<void> {
  using folder = RunFolder.open(runs, CELLS, configurationOf(experiment, versions))
  if (fresh) folder.clear()
  if (folder.readRecord() === null) await runExperiment(experiment, { ...tools, folder })
  else tools.terminal.note(`${titleOf(experiment)}: recorded before, reused`)
}
