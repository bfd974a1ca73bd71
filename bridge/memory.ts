/**
 * The garbage collector sees a handle as a few bytes, whatever it pins on the device: a hundred thousand dropped handles bring it to
 * nothing (measured). So it is forced when many handles are live, and then at every doubling.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const FIRST = 4096

let gc: (() => void) | undefined

/** Runs a full collection and lets finalizers run. */
export async function forceCollection(): Promise<void> {
  if (!gc) {
    setFlagsFromString('--expose-gc')
    gc = runInNewContext('gc') as () => void
    setFlagsFromString('--no-expose-gc')
  }
  gc()
  // Finalizers run in a task of their own; the first turn may come before it.
  await turn()
  await turn()
}

/** Says when the number of live handles calls for a collection. */
export class Pressure {
  private threshold = FIRST

  reached(live: number): boolean {
    if (live < this.threshold) return false
    this.threshold *= 2
    return true
  }

  /** After a collection: the next one at twice what is really in use. */
  settle(live: number): void {
    this.threshold = Math.max(FIRST, 2 * live)
  }
}
