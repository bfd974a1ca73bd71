/** Training as a command runs it: kept in a run folder, with a progress bar and the seconds of each epoch. */
import type { RunFolder } from '../records/run_folder'
import type { EpochMetrics } from '../training/state'
import { type TrainFolder, type TrainOptions, type TrainResult, train } from '../training/train'
import type { Task, Terminal } from './terminal'

interface Seconds {
  readonly seconds?: number
}

/** A run folder as training sees it, which logs how long each epoch took. */
function timedFolder(folder: RunFolder): TrainFolder {
  let started = performance.now()
  return {
    path: (name) => folder.path(name),
    append(metrics) {
      folder.append({ ...metrics, seconds: (performance.now() - started) / 1000 } as EpochMetrics)
      started = performance.now()
    },
  }
}

/** Trains or resumes; `trainSeconds` counts the epochs of all processes that worked on the run. */
export async function trainWithProgress(
  options: Omit<TrainOptions, 'folder' | 'onStep' | 'onEpoch'>,
  { folder, terminal, title }: { readonly folder: RunFolder; readonly terminal: Terminal; readonly title: string },
): Promise<TrainResult & { readonly trainSeconds: number }> {
  const { epochs } = options.config
  const before = folder.metrics().length
  if (before > 0)
    terminal.note(before < epochs ? `${title}: resumes after epoch ${before}` : `${title}: trained before, reused`)
  let task: Task | undefined
  const result = await train({
    ...options,
    folder: timedFolder(folder),
    onStep: ({ epoch, step, steps }) => {
      task ??= terminal.task(title, epochs * steps)
      task.update((epoch - 1) * steps + step, `epoch ${epoch}/${epochs}`)
    },
  })
  // a run that was killed between its state file and its metrics has a line too few
  if (folder.metrics().length !== result.history.length) folder.writeMetrics(result.history)
  const { loss, inputChannels } = result.history.at(-1)!
  task?.finish(`loss ${loss.toFixed(3)}, ${inputChannels.zero}/${inputChannels.total} channels zero`)
  const trainSeconds = folder.metrics().reduce((sum, line) => sum + ((line as Seconds).seconds ?? 0), 0)
  return { ...result, trainSeconds }
}
