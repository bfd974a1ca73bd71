'use strict'

/**
 * One set-up at a time in a folder, and tools that do not outlive it: the lock file names the process that holds it and the
 * tool it runs now. When the holder was killed, the next set-up ends that tool (it would keep writing) and takes over.
 */
const childProcess = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { SetupError } = require('./errors')

const POLL_MS = 500
const TAIL_LINES = 20

/**
 * A process, told apart from a later one with the same number by its start time where the system shows it.
 * @typedef {{ pid: number, started: string | null }} Identity
 */

/** @param {number} pid */
function startTime(pid) {
  try {
    // Fields after the command name, which is in parentheses and may hold blanks: state is 0, start time is 19.
    const fields = fs
      .readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
    return fields[0] === 'Z' ? 'ended' : (fields[19] ?? null)
  } catch {
    return null
  }
}

/** @param {Identity} identity */
function isAlive({ pid, started }) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
  return started === null || startTime(pid) === started
}

/**
 * Adds to a log if it can: on a full disk the tool's own complaint is what matters.
 * @param {string} file
 * @param {Buffer} chunk
 */
function append(file, chunk) {
  try {
    fs.appendFileSync(file, chunk)
  } catch {
    // The output is kept in memory as well.
  }
}

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

class Lock {
  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder
    this.file = path.join(folder, 'set-up.lock')
    /** @type {{ owner: Identity, tool: Identity | null }} */
    this.content = { owner: { pid: process.pid, started: startTime(process.pid) }, tool: null }
    /** Gives the lock back; also runs when the process exits in between. */
    this.release = () => {
      process.removeListener('exit', this.release)
      fs.rmSync(this.file, { force: true })
    }
  }

  /**
   * @param {(line: string) => void} log
   * @returns {Promise<this>}
   */
  async acquire(log) {
    fs.mkdirSync(this.folder, { recursive: true })
    for (let told = false; !this.create();) {
      const { text, owner, tool } = this.read()
      if (owner !== null && isAlive(owner)) {
        if (!told) log(`waiting for the set-up that process ${owner.pid} is running`)
        told = true
        await pause(POLL_MS)
        continue
      }
      if (tool !== null && isAlive(tool)) {
        log(`ending process ${tool.pid}, left over from a set-up that was killed`)
        process.kill(tool.pid, 'SIGKILL')
        while (isAlive(tool)) await pause(20)
      }
      this.discard(text)
    }
    process.once('exit', this.release)
    return this
  }

  /** Whether the lock file could be made; it appears with its content in one step, so nobody reads half of it. */
  create() {
    const draft = `${this.file}.${process.pid}`
    fs.writeFileSync(draft, JSON.stringify(this.content))
    try {
      fs.linkSync(draft, this.file)
      return true
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false
      throw error
    } finally {
      fs.unlinkSync(draft)
    }
  }

  /** @returns {{ text: string, owner: Identity | null, tool: Identity | null }} */
  read() {
    let text = ''
    try {
      text = fs.readFileSync(this.file, 'utf8')
      return { text, ...JSON.parse(text) }
    } catch {
      return { text, owner: null, tool: null }
    }
  }

  /**
   * Removes a stale lock, unless somebody else has replaced it since it was read.
   * @param {string} text
   */
  discard(text) {
    const aside = `${this.file}.${process.pid}.stale`
    try {
      fs.renameSync(this.file, aside)
      if (fs.readFileSync(aside, 'utf8') !== text) fs.linkSync(aside, this.file)
      fs.unlinkSync(aside)
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error
    }
  }

  /** @param {Identity | null} tool */
  setTool(tool) {
    this.content.tool = tool
    fs.writeFileSync(`${this.file}.tool`, JSON.stringify(this.content))
    fs.renameSync(`${this.file}.tool`, this.file)
  }

  /**
   * Runs a tool; what it prints goes to a log file.
   * @param {string} command
   * @param {readonly string[]} args
   * @param {{ cwd: string, env: NodeJS.ProcessEnv, logFile: string, onLine?: (line: string) => void, shell?: boolean,
   *   explain: (output: string, outcome: string) => string }} options
   *   `explain` turns the output of a failed tool into one sentence.
   * @returns {Promise<void>}
   */
  async run(command, args, { cwd, env, logFile, onLine, shell = false, explain }) {
    fs.writeFileSync(logFile, `${[command, ...args].join(' ')}\n`)
    const child = childProcess.spawn(command, args, { cwd, env, shell, stdio: ['ignore', 'pipe', 'pipe'] })
    try {
      if (child.pid !== undefined) this.setTool({ pid: child.pid, started: startTime(child.pid) })
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
    let output = ''
    let line = ''
    /** @param {Buffer} chunk */
    const take = (chunk) => {
      append(logFile, chunk)
      output += chunk.toString()
      const lines = (line + chunk.toString()).split(/\r?\n/)
      line = lines.pop() ?? ''
      lines.forEach((text) => onLine?.(text))
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    /** @type {string | null} */
    const outcome = await new Promise((resolve) => {
      child.once('error', (error) => resolve(`could not be started (${error.message})`))
      child.once('close', (code, signal) => resolve(code === 0 ? null : `ended with ${signal ?? `exit code ${code}`}`))
    })
    this.setTool(null)
    if (outcome === null) return
    const tail = output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n')
    throw new SetupError(explain(output, outcome), { tail, logFile })
  }
}

/**
 * @template T
 * @param {string} folder
 * @param {(line: string) => void} log
 * @param {(lock: Lock) => Promise<T>} work
 * @returns {Promise<T>}
 */
async function withLock(folder, log, work) {
  const lock = await new Lock(folder).acquire(log)
  try {
    return await work(lock)
  } finally {
    lock.release()
  }
}

module.exports = { Lock, withLock, startTime }
