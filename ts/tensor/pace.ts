/**
 * Keeps a loop of plan calls only a little ahead of the worker. The session's window is thousands of commands wide,
 * which for training steps is minutes: progress would be reported long before the work is done, and a stop would wait
 * for everything under way.
 */
import type { Session } from './session'

export interface PaceOptions {
  /** How many iterations may be under way; 2 already keep the worker busy. */
  readonly lead?: number
  /** After each iteration that the worker has finished: how many there are now. */
  readonly onDone?: (done: number) => void
  /** Ends the loop between two iterations with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Calls `issue` for 0 .. n - 1 and resolves when the worker has finished all of them. */
export async function inPace(
  session: Session,
  n: number,
  issue: (i: number) => void,
  { lead = 4, onDone, signal }: PaceOptions = {},
): Promise<void> {
  const underWay: Promise<void>[] = []
  let done = 0
  const awaitOldest = async (): Promise<void> => {
    await underWay.shift()
    onDone?.(++done)
  }
  for (let i = 0; i < n; i++) {
    signal?.throwIfAborted()
    await session.ready()
    issue(i)
    const finished = session.barrier()
    // Awaited later, or never when an earlier one fails.
    finished.catch(() => undefined)
    underWay.push(finished)
    if (underWay.length >= lead) await awaitOldest()
  }
  while (underWay.length > 0) await awaitOldest()
}
