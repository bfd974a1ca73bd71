'use strict'

/** The whole set-up, in order: npm packages, build, Python environment. Each part is skipped when it is up to date. */
const path = require('node:path')
const { build, isBuilt, isVendored, vendor } = require('./build')
const environment = require('./environment')
const { describeFailure, explainFileError } = require('./errors')
const { withLock } = require('./lock')
const { isInstalled, packageRoot, stateFolder } = require('./locations')
const { installPackages, packagesInstalled } = require('./packages')

/**
 * @param {{ python?: boolean, dist?: boolean, development?: boolean, root?: string, log?: (line: string) => void }} [options]
 *   `python: false` leaves the Python environment alone; `dist: false` builds only what the sources themselves import, so
 *   that tests run while something does not compile; `development` asks for the tools of the test command as well
 * @returns {Promise<boolean>} whether anything had to be done
 */
async function prepareAll({ python = true, dist = true, development = false, root = packageRoot(), log } = {}) {
  /** @type {Required<import('./locations').Place>} */
  const place = {
    root,
    env: process.env,
    platform: process.platform,
    log: log ?? ((line) => void process.stderr.write(`feynkac set-up: ${line}\n`)),
  }
  const clone = !isInstalled(root)
  const packages = clone && !packagesInstalled(root)
  const isCurrent = () => (dist ? isBuilt(root) : isVendored(root))
  const stale = clone && (packages || !isCurrent())
  const venv = python && environment.needsPreparation(place)
  // Making the environment has two parts of its own: the folder, and what goes into it.
  const steps = Number(packages) + Number(stale) + (venv ? (environment.startsEmpty(place) ? 2 : 1) : 0)
  let done = 0
  /** @param {string} title */
  const step = (title) => place.log(`${title} (${++done}/${Math.max(steps, done)}) …`)

  const started = Date.now()
  if (packages || stale) {
    const folder = stateFolder(place)
    await withLock(folder, place.log, async (lock) => {
      if (!packagesInstalled(root)) {
        step('installing the npm packages')
        await installPackages(place, { lock, logFile: path.join(folder, 'npm.log') })
      }
      if (isCurrent()) return
      step(dist ? 'compiling TypeScript' : 'bundling execa')
      if (dist) await build(place, { lock, logFile: path.join(folder, 'build.log') })
      else vendor(root)
    }).catch((error) => {
      throw explainFileError(error, root)
    })
  }
  if (python) await environment.prepare({ ...place, development, step })
  if (steps > 0) place.log(`ready after ${Math.round((Date.now() - started) / 1000)} s`)
  return steps > 0
}

/**
 * For the command line: one clear message and exit code 1 on failure.
 * @param {{ python?: boolean, dist?: boolean, development?: boolean }} options
 * @returns {Promise<boolean>} whether everything is ready
 */
async function main(options) {
  try {
    await prepareAll(options)
    return true
  } catch (error) {
    process.stderr.write(`${describeFailure(error)}\n`)
    process.exitCode = 1
    return false
  }
}

module.exports = { prepareAll, main }
