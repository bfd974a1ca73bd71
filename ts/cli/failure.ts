/** How a command fails: one sentence on standard error, exit code 1, and the stack only when asked for. */

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof Error || (typeof error === 'object' && error !== null && 'message' in error)) {
    return String(error.message)
  }
  return String(error)
}

/** Reports a failure and sets the exit code; the process then ends by itself. */
export function fail(error: unknown): void {
  const stack = typeof error === 'object' && error !== null && 'stack' in error ? String(error.stack) : ''
  process.stderr.write(process.env['FEYNKAC_DEBUG'] && stack ? `feynkac: ${stack}\n` : `feynkac: ${messageOf(error)}\n`)
  process.exitCode = 1
}
