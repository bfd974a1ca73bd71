'use strict'

/** Failures of the set-up step: one sentence for the reader and, where a tool printed more, the end of its log. */

class SetupError extends Error {
  /**
   * @param {string} message one full sentence that says what to do
   * @param {{ tail?: string, logFile?: string, cause?: unknown }} [details]
   */
  constructor(message, { tail, logFile, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'SetupError'
    /** The last lines that the failing tool printed, or an empty string. */
    this.tail = tail ?? ''
    /** The file with everything that it printed, or null. */
    this.logFile = logFile ?? null
  }
}

/**
 * The sentence for a file system error of our own writes; other errors come back as they are.
 * @param {unknown} error
 * @param {string} folder where we were writing
 * @returns {unknown}
 */
function explainFileError(error, folder) {
  const code = error instanceof Error ? /** @type {NodeJS.ErrnoException} */ (error).code : undefined
  if (code === 'ENOSPC') return new SetupError(diskFull(folder), { cause: error })
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new SetupError(
      `The folder ${folder} cannot be written (${code}); make it writable and run the command again.`,
      {
        cause: error,
      },
    )
  }
  return error
}

/** @param {string} folder */
function diskFull(folder) {
  return `The disk that holds ${folder} is full; free at least 2 GB (10 GB for a CUDA build of torch) and run the command again.`
}

/**
 * What the terminal shows for a failed set-up.
 * @param {unknown} error
 * @returns {string}
 */
function describeFailure(error) {
  if (!(error instanceof SetupError)) {
    return `feynkac set-up failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
  }
  const tail = error.tail === '' ? '' : `${error.tail.replace(/^/gm, '  | ')}\n`
  const log = error.logFile === null ? '' : `\n  Everything that was printed: ${error.logFile}`
  return `${tail}feynkac set-up failed: ${error.message}${log}`
}

module.exports = { SetupError, explainFileError, diskFull, describeFailure }
