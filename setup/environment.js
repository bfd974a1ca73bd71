'use strict'

/**
 * The Python environment: which interpreter runs the worker, and how one is made from environment.yml when there is none.
 *
 * FEYNKAC_PYTHON   an interpreter that already has torch; it is used as it is
 * FEYNKAC_CONDA    `1`, or the name or path of conda, mamba or micromamba: makes the environment with it instead of venv and pip
 */
const fs = require('node:fs')
const path = require('node:path')
const { SetupError, explainFileError } = require('./errors')
const { condaCommand, install, remove } = require('./install')
const { withLock } = require('./lock')
const { environmentFolder, fingerprint, interpreterIn, packageRoot, requirements, stateFolder } = require('./locations')
const { checkNamed, probe, RUNTIME, versionOf } = require('./python')
const { readPipBlock } = require('./requirements')

/** @typedef {import('./locations').Place} Place */

/** Written into the environment folder when everything in it is in place, so that an interrupted set-up never has it. */
const STAMP = 'feynkac.json'

/** Exists from before the first change of an environment until after its stamp. */
const UNFINISHED = 'environment-unfinished'

/**
 * @param {Place} place
 * @returns {Required<Place>}
 */
function complete(place) {
  const { root = packageRoot(), env = process.env, platform = process.platform } = place
  return { root, env, platform, log: place.log ?? ((line) => void process.stderr.write(`feynkac set-up: ${line}\n`)) }
}

/**
 * The interpreter that runs the worker: FEYNKAC_PYTHON, else that of the prepared environment. Starts no process.
 * @param {Place} [place]
 * @returns {{ python: string, source: 'FEYNKAC_PYTHON' | 'environment' }} `python` is a path or a name for the PATH
 * @throws {SetupError} when neither is there
 */
function findPython(place = {}) {
  const full = complete(place)
  const named = full.env.FEYNKAC_PYTHON
  if (named) return { python: named, source: 'FEYNKAC_PYTHON' }
  const folder = environmentFolder(full)
  const python = interpreterIn(folder, full.platform)
  if (python === null || fs.existsSync(path.join(stateFolder(full), UNFINISHED))) {
    throw new SetupError(
      `Expected a Python environment in ${folder}, found ${python === null ? 'none' : 'an unfinished one'}; ` +
        'make it with: npx feynkac setup (or point FEYNKAC_PYTHON at a Python that has torch).',
    )
  }
  return { python, source: 'environment' }
}

/**
 * Whether the prepared environment fits the list and still runs (its base Python may have been removed or replaced).
 * @param {Required<Place>} place
 */
function isPrepared(place) {
  const folder = environmentFolder(place)
  const python = interpreterIn(folder, place.platform)
  if (python === null || fs.existsSync(path.join(stateFolder(place), UNFINISHED))) return false
  const stamp = readStamp(folder)
  if (condaCommand(place.env) !== null && stamp.conda !== true) return false
  return stamp.list === fingerprint(requirements(place.root)) && stamp.python === versionOf(python, [], place.env)
}

/**
 * @param {string} folder
 * @returns {{ list?: string, python?: string, conda?: boolean }}
 */
function readStamp(folder) {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, STAMP), 'utf8'))
  } catch {
    return {}
  }
}

/**
 * Whether `prepare` would have something to do.
 * @param {Place} [place]
 */
function needsPreparation(place = {}) {
  const full = complete(place)
  return !full.env.FEYNKAC_PYTHON && !isPrepared(full)
}

/**
 * Whether `prepare` would make the environment's folder, and not only bring its packages up to date.
 * @param {Place} [place]
 */
function startsEmpty(place = {}) {
  const full = complete(place)
  return (
    interpreterIn(environmentFolder(full), full.platform) === null ||
    fs.existsSync(path.join(stateFolder(full), UNFINISHED))
  )
}

/**
 * Makes the Python environment, or brings it up to date, or does nothing when it is ready.
 * @param {Place & { development?: boolean, step?: (title: string) => void }} [options] `development` also checks a
 *   FEYNKAC_PYTHON for the tools of the test command; `step` receives the title of each part.
 * @returns {Promise<{ python: string, source: 'FEYNKAC_PYTHON' | 'environment', changed: boolean }>}
 * @throws {SetupError} one sentence for each thing that can be wrong
 */
async function prepare(options = {}) {
  const place = complete(options)
  const named = place.env.FEYNKAC_PYTHON
  if (named) {
    checkNamed(named, { ...place, development: options.development })
    return { python: named, source: 'FEYNKAC_PYTHON', changed: false }
  }
  if (isPrepared(place)) return { ...findPython(place), changed: false }
  try {
    const changed = await withLock(stateFolder(place), place.log, (lock) =>
      build(place, lock, options.step ?? place.log),
    )
    return { ...findPython(place), changed }
  } catch (error) {
    throw explainFileError(error, environmentFolder(place))
  }
}

/**
 * @param {Required<Place>} place
 * @param {import('./lock').Lock} lock
 * @param {(title: string) => void} step
 * @returns {Promise<boolean>} whether anything was done
 */
async function build(place, lock, step) {
  if (isPrepared(place)) return false // another process has just made it
  const { root, env, platform } = place
  const folder = environmentFolder(place)
  const unfinished = path.join(stateFolder(place), UNFINISHED)
  // Killed in the middle, pip may have written the metadata of a package without its files: nothing there can be trusted.
  if (fs.existsSync(unfinished)) remove(folder)
  fs.writeFileSync(unfinished, folder)
  const list = requirements(root)
  await install(place, { lock, step, folder, list, logFile: path.join(stateFolder(place), 'python.log') })

  const python = interpreterIn(folder, platform)
  const modules = Object.values(RUNTIME)
  const facts = python === null ? null : probe(python, [], { root, env, mode: 'import', modules })
  if (python === null || facts === null)
    throw new SetupError(`The new Python in ${folder} does not run; remove that folder and run the command again.`)
  for (const module of modules) {
    const error = facts.modules[module]?.error
    if (error !== undefined) {
      throw new SetupError(`The Python environment was made, but \`import ${module}\` fails in ${python}: ${error}`)
    }
  }
  const conda = fs.existsSync(path.join(folder, 'conda-meta'))
  fs.writeFileSync(path.join(folder, STAMP), JSON.stringify({ list: fingerprint(list), python: facts.version, conda }))
  fs.rmSync(unfinished)
  return true
}

module.exports = {
  packageRoot,
  readPipBlock,
  environmentFolder,
  stateFolder,
  findPython,
  needsPreparation,
  startsEmpty,
  prepare,
}
