/**
 * The line of user code that is running, for the nodes of a plan. Formatting a stack under ts-node's source maps costs about half a
 * millisecond, and a plan has hundreds of nodes: frames are read unformatted, and each position is mapped to its source line once.
 */
import { findSourceMap } from 'node:module'
import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

// dist/ts/tensor has the same two neighbours as ts/tensor.
const TENSOR = __dirname + sep
const BRIDGE = __dirname.slice(0, -`ts${sep}tensor`.length) + `bridge${sep}`

const NEAR = 10
const FAR = 100

type Prepare = NonNullable<typeof Error.prepareStackTrace>

const known = new Map<string, string>()
const takeFrames: Prepare = (_error, frames) => frames

/** `script.ts:31:41`, relative to the working directory where it lies below it; null when only library code is running. */
export function location(): string | null {
  return search(NEAR) ?? search(FAR)
}

function search(limit: number): string | null {
  const prepare = Error.prepareStackTrace
  const before = Error.stackTraceLimit
  const holder: { stack?: unknown } = {}
  Error.stackTraceLimit = limit
  Error.prepareStackTrace = takeFrames
  Error.captureStackTrace(holder, search)
  const frames = holder.stack as NodeJS.CallSite[]
  // An absent hook has a meaning of its own for Node, so it must be absent again.
  if (prepare === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace')
  else Error.prepareStackTrace = prepare
  Error.stackTraceLimit = before
  for (const frame of frames) {
    const file = frame.getFileName()
    if (file === null || file === undefined || file.startsWith('node:')) continue
    const path = file.startsWith('file://') ? fileURLToPath(file) : file
    if (!path.startsWith(TENSOR) && !path.startsWith(BRIDGE)) return sourceOf(frame, path, prepare)
  }
  return null
}

function sourceOf(frame: NodeJS.CallSite, path: string, prepare: Prepare | undefined): string {
  const line = frame.getLineNumber() ?? 0
  const column = frame.getColumnNumber() ?? 0
  const key = `${path}:${line}:${column}`
  let place = known.get(key)
  if (place === undefined) {
    place = shorten(mapped(frame, path, line, column, prepare) ?? key)
    known.set(key, place)
  }
  return place
}

function mapped(frame: NodeJS.CallSite, path: string, line: number, column: number, prepare: Prepare | undefined) {
  // ts-node and jest map inside the hook that they install; node's own --enable-source-maps (tsx) steps aside for our hook.
  if (prepare !== undefined)
    return /([^()\s][^()]*:\d+:\d+)\)?\s*$/.exec(
      String(prepare(new Error(), [frame])).replace(/^[^]*\n\s+at (async )?/, ''),
    )?.[1]
  const entry = findSourceMap(path)?.findEntry(line - 1, column - 1)
  if (entry === undefined || !('originalSource' in entry)) return undefined
  return `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
}

function shorten(place: string): string {
  const path = place.startsWith('file://') ? fileURLToPath(place) : place
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short
}
