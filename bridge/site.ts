/**
 * Where in the user's code something was issued. A capture costs 1.4 to 2 microseconds and formatting under ts-node's source maps
 * about half a millisecond, so frames stay unformatted until an error is printed, and a hot loop captures only its first rounds.
 */
import { relative, sep } from 'node:path'
import { packageRoot } from './root'

/** Unformatted frames: an Error, or any object that went through Error.captureStackTrace. */
export interface Site {
  readonly stack?: string
  /** The command it was captured for; a later command of the same batch may borrow the place. */
  readonly seq?: number
  readonly what?: string
}

/** A function whose own frame and everything below it are hidden. */
export type Hide = (...args: never[]) => unknown

// Enough to step over the frames of the tracing layer and reach the line of its caller.
const FRAMES = 5

/** The present stack above the call of `hide`. */
export function captureSite(hide: Hide, what?: string, seq?: number): Site {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = FRAMES
  const site: Site = { what, seq }
  Error.captureStackTrace(site, hide)
  Error.stackTraceLimit = limit
  return site
}

// Code that awaits issues a few commands a batch and gets exact places; only a synchronous hot loop goes beyond.
const EXACT_PER_BATCH = 16

/** Captures exact places for the first commands of a batch; later ones borrow the place of the last command with the same key. */
export class Sites {
  private left = EXACT_PER_BATCH
  private readonly last = new Map<number, Site>()

  constructor(private readonly always: boolean) {}

  take(key: number, hide: Hide, what: string, seq: number): Site {
    if (this.left <= 0 && !this.always) {
      const borrowed = this.last.get(key)
      if (borrowed) return borrowed
    }
    this.left--
    const site = captureSite(hide, what, seq)
    this.last.set(key, site)
    return site
  }

  nextBatch(): void {
    this.left = EXACT_PER_BATCH
    this.last.clear()
  }
}

const root = packageRoot()
const OWN = ['bridge', `ts${sep}tensor`].flatMap((folder) => [
  `${root}${sep}${folder}${sep}`,
  `${root}${sep}dist${sep}${folder}${sep}`,
])

/** The lines of a stack that lie outside the bridge and the tracing layer; all of them when there is no other. */
export function userFrames(site: Site): string[] {
  const frames = (site.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  const foreign = frames.filter((line) => !OWN.some((folder) => line.includes(folder)) && !line.includes('(node:'))
  return foreign.length > 0 ? foreign : frames
}

/** `script.ts:58:11`, relative to the working directory where it lies below it; null when the stack is empty. */
export function formatSite(site: Site | undefined): string | null {
  const frame = site && userFrames(site)[0]
  if (!frame) return null
  const text = frame.trim().replace(/^at (async )?/, '')
  const place = /([^()]+:\d+:\d+)\)?$/.exec(text)?.[1]
  if (!place) return text
  const path = place.replace(/^file:\/\//, '')
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short
}
