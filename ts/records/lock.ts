/**
 * A lock file that names its process. It appears by link(2), so it is never seen half written; a lock whose process is
 * dead (its pid is gone, or was given to a process with another start time, or the machine was booted since) is taken over.
 */
import { linkSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { writeDurably, reason } from './atomic'
import { RecordError } from './check'

/** Name of the lock file in a run folder. */
export const LOCK = 'lock'

export interface Holder {
  pid: number
  host: string
  /** Start time of the process in clock ticks since boot; null where there is no /proc. */
  start: string | null
  boot: string | null
  token: string
  since: string
}

export class RunLockedError extends RecordError {
  override name = 'RunLockedError'
  constructor(
    message: string,
    readonly holder: Holder | null,
  ) {
    super(message)
  }
}

/** Takes the lock of the folder `folder` and returns what releases it. Throws {@link RunLockedError} while another process holds it. */
export function takeLock(folder: string): () => void {
  const path = join(folder, LOCK)
  const mine: Holder = { pid: process.pid, host: hostname(), ...startOf(process.pid), token: token(), since: now() }
  const written = JSON.stringify(mine)
  const draft = `${path}.${mine.token}`
  try {
    writeDurably(draft, written, 'wx')
    for (let attempt = 0; ; attempt++) {
      if (create(draft, path)) break
      const found = read(path)
      if (found === null) continue // released between the two calls
      const holder = parse(found)
      if (holder === null || attempt >= 10 || isAlive(holder)) throw new RunLockedError(refusal(path, holder), holder)
      removeStale(path, found, mine.token)
    }
  } catch (error) {
    if (error instanceof RecordError) throw error
    throw new RecordError(`Could not lock \`${path}\`: ${reason(error)}`, { cause: error })
  } finally {
    rmSync(draft, { force: true })
  }
  return () => {
    if (read(path) === written) rmSync(path, { force: true })
  }
}

/** Pid of the live process that holds the run folder at `path`, or null when it is free. */
export function lockHolder(path: string): number | null {
  const found = read(join(path, LOCK))
  const holder = found === null ? null : parse(found)
  return holder !== null && isAlive(holder) ? holder.pid : null
}

/** True unless it is certain that the process is gone; a process on another machine counts as alive. */
export function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true
  const { start, boot } = startOf(holder.pid)
  if (holder.boot !== null && boot !== null && holder.boot !== boot) return false
  if (holder.start !== null && boot !== null) return holder.start === start
  try {
    process.kill(holder.pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function create(draft: string, path: string): boolean {
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Moves the stale lock aside; when another process was faster and its fresh lock was moved instead, puts that back. */
function removeStale(path: string, stale: string, mine: string): void {
  const aside = `${path}.stale-${mine}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (read(aside) !== stale) create(aside, path)
  rmSync(aside, { force: true })
}

function refusal(path: string, holder: Holder | null): string {
  const open = `Expected the run folder \`${dirname(path)}\` to be free, got`
  if (holder === null)
    return `${open} a lock that cannot be read; delete \`${path}\` if no other run is using the folder`
  const who = holder.pid === process.pid ? 'this process' : `process ${holder.pid}`
  const advice = holder.host === hostname() ? '' : `; delete \`${path}\` if that process has ended`
  return `${open} a lock of ${who} on ${holder.host}, held since ${holder.since}${advice}`
}

/** Start time and boot of a process; `start` is null for a process that has ended, `boot` is null without /proc. */
function startOf(pid: number): { start: string | null; boot: string | null } {
  // The name in parentheses may itself hold spaces and parentheses: fields are counted after the last one.
  const stat = read(`/proc/${pid}/stat`)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, start] = [fields?.[0], fields?.[19]]
  // A zombie has ended: it only waits for its parent to notice.
  return {
    start: state === 'Z' ? null : (start ?? null),
    boot: read('/proc/sys/kernel/random/boot_id')?.trim() ?? null,
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}

function parse(written: string): Holder | null {
  try {
    const holder = JSON.parse(written) as Holder
    return Number.isInteger(holder.pid) && typeof holder.host === 'string' ? holder : null
  } catch {
    return null
  }
}

const token = (): string => randomBytes(6).toString('hex')
const now = (): string => new Date().toISOString()
