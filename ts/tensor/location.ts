/**
 * The line of user code that is running, for the nodes of a plan. Formatting a stack under ts-node's source maps costs about half a
 * millisecond, and a plan has hundreds of nodes: frames are read unformatted, and each position is formatted once.
 */
import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

// dist/ts/tensor has the same two neighbours as ts/tensor.
const TENSOR = __dirname + sep
const BRIDGE = __dirname.slice(0, -`ts${sep}tensor`.length) + `bridge${sep}`

// The frames of this layer below a method, and the line that called it.
const NEAR = 8
const FAR = 100

const known = new Map<string, string>()
const takeFrames = (_error: Error, frames: NodeJS.CallSite[]): NodeJS.CallSite[] => frames

/** `script.ts:31:41`, relative to the working directory where it lies below it; null when only library code is running. */
export function location(): string | null {
  return search(NEAR) ?? search(FAR)
}

function search(limit: number): string | null {
  const prepare = Error.prepareStackTrace
  const before = Error.stackTraceLimit
  const raw: { stack?: unknown } = {}
  Error.stackTraceLimit = limit
  Error.prepareStackTrace = takeFrames
  Error.captureStackTrace(raw, search)
  const frames = raw.stack as NodeJS.CallSite[]
  // An absent hook has a meaning of its own for Node, so it must be absent again.
  if (prepare === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace')
  else Error.prepareStackTrace = prepare
  try {
    for (const [i, frame] of frames.entries()) {
      const file = frame.getFileName() ?? 'node:'
      if (file.startsWith('node:') || isOwn(file)) continue
      const key = `${file}:${frame.getLineNumber()}:${frame.getColumnNumber()}`
      const place = known.get(key) ?? shorten(mapped(i) ?? key)
      known.set(key, place)
      return place
    }
    return null
  } finally {
    Error.stackTraceLimit = before
  }

  // Formatted by whoever knows the source maps here: ts-node, jest, or Node itself.
  function mapped(index: number): string | undefined {
    const formatted: { stack?: string } = {}
    // One frame more: that of `search`.
    Error.stackTraceLimit = limit + 1
    Error.captureStackTrace(formatted, mapped)
    const lines = (formatted.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
    return /([^()\s][^()]*:\d+:\d+)\)?$/.exec((lines[index + 1] ?? '').replace(/^\s+at (async )?/, ''))?.[1]
  }
}

function isOwn(file: string): boolean {
  const path = pathOf(file)
  return path.startsWith(TENSOR) || path.startsWith(BRIDGE)
}

const pathOf = (file: string): string => (file.startsWith('file://') ? fileURLToPath(file) : file)

function shorten(place: string): string {
  const path = pathOf(place)
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short
}
