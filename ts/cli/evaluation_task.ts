/** Progress of an evaluation in image passes, so that the time left is right although attacks cost 1 to 150 passes an image. */
import type { Attack } from '../tensor/kinds'
import type { Terminal } from './terminal'

/** A backward pass costs about as much as two forward ones. */
const PASSES_OF_A_STEP = 3

export interface EvaluationTask {
  /** For `onProgress` of `evaluate`. */
  readonly onProgress: (progress: { readonly attack: string; readonly done: number }) => void
  readonly finish: (detail?: string) => void
}

/** A task over the natural pass and these attacks on `n` images, in the order of `evaluate`. */
export function evaluationTask(
  terminal: Terminal,
  name: string,
  attacks: Readonly<Record<string, Attack>>,
  n: number,
): EvaluationTask {
  const passes = new Map<string, number>([['natural', 1]])
  for (const [attack, { iterations }] of Object.entries(attacks)) passes.set(attack, 1 + PASSES_OF_A_STEP * iterations)
  const total = [...passes.values()].reduce((sum, cost) => sum + cost, 0) * n
  const task = terminal.task(name, total)
  return {
    onProgress({ attack, done }) {
      let before = 0
      for (const [earlier, cost] of passes) {
        if (earlier === attack) break
        before += cost * n
      }
      task.update(before + (passes.get(attack) ?? 0) * done, `image passes, ${attack}`)
    },
    finish: (detail) => task.finish(detail),
  }
}
