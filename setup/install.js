'use strict'

/** Fills an environment folder: venv and pip, or conda, mamba, micromamba when the user asks for one of them. */
const fs = require('node:fs')
const path = require('node:path')
const { diskFull } = require('./errors')
const { interpreterIn, isInstalled } = require('./locations')
const { findBase, isNewEnough, versionOf } = require('./python')
const { requirementName, withoutDevelopment } = require('./requirements')

const NETWORK =
  /NewConnectionError|NameResolutionError|name resolution|Connection refused|ConnectTimeout|Read timed out|unreachable|SSLError|CERTIFICATE_VERIFY|ProxyError|CondaHTTPError|Could not resolve host/i
const DISK = /No space left on device|ENOSPC|Errno 28|NoSpaceLeftError/

/**
 * @typedef {object} Job
 * @property {import('./lock').Lock} lock
 * @property {(title: string) => void} step receives the title of each part
 * @property {string} folder the environment
 * @property {string[]} list pip requirements
 * @property {string} logFile
 */

/** @param {string} folder */
function remove(folder) {
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

/**
 * The conda-like command that the user asked for, or null.
 * @param {NodeJS.ProcessEnv} env
 */
function condaCommand(env) {
  const value = env.FEYNKAC_CONDA
  if (!value || value === '0') return null
  return value === '1' ? 'conda' : value
}

/**
 * @param {Required<import('./locations').Place>} place
 * @param {Job} job
 */
async function install(place, job) {
  const conda = condaCommand(place.env)
  await (conda === null ? installWithPip(place, job) : installWithConda(conda, place, job))
}

/**
 * @param {Required<import('./locations').Place>} place
 * @param {Job} job
 */
async function installWithPip(place, { lock, step, folder, list, logFile }) {
  const { root, env, platform, log } = place
  const existing = interpreterIn(folder, platform)
  const version = existing === null ? null : versionOf(existing, [], env)
  if (version === null || !isNewEnough(version)) {
    const base = findBase(place)
    step(`creating the Python environment (Python ${base.version}) in ${folder}`)
    remove(folder)
    await lock.run(base.command, [...base.args, '-m', 'venv', folder], {
      cwd: root,
      env,
      logFile,
      explain: (output, outcome) =>
        DISK.test(output) ? diskFull(folder) : `\`${base.command} -m venv ${folder}\` ${outcome}.`,
    })
  }
  const python = interpreterIn(folder, platform) ?? path.join(folder, 'bin', 'python')
  step(`installing ${list.map(requirementName).join(', ')} with pip`)
  await lock.run(python, ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', ...list], {
    cwd: root,
    env: { ...env, PYTHONUNBUFFERED: '1', NO_COLOR: '1' },
    logFile,
    onLine: (line) => {
      const download = /^\s*Downloading (\S+) \((\d+(?:\.\d+)? [MG]B)\)/.exec(line)
      if (download) log(`downloading ${path.basename(download[1] ?? '')} (${download[2]})`)
      if (line.startsWith('Installing collected packages')) log('unpacking')
    },
    explain: (output, outcome) => explainPip(output, outcome, folder),
  })
}

/**
 * @param {string} output what pip printed
 * @param {string} outcome how it ended
 * @param {string} folder
 */
function explainPip(output, outcome, folder) {
  if (DISK.test(output)) return diskFull(folder)
  // Before the next test: a pip that reaches nobody also says that no version was found.
  if (NETWORK.test(output)) {
    return 'pip could not reach its package index; check the network and the pip settings (pip config list), then run the command again.'
  }
  const absent = /No matching distribution found for (\S+)/.exec(output)?.[1]
  if (absent !== undefined)
    return `pip found no build of ${absent} for this Python and system; another Python version may have one.`
  return `pip ${outcome}.`
}

/**
 * @param {string} conda
 * @param {Required<import('./locations').Place>} place
 * @param {Job} job
 */
async function installWithConda(conda, { root, env, log }, { lock, step, folder, logFile }) {
  const update = fs.existsSync(path.join(folder, 'conda-meta'))
  if (!update) remove(folder)
  const text = fs.readFileSync(path.join(root, 'environment.yml'), 'utf8')
  const file = path.join(path.dirname(logFile), 'environment.yml')
  fs.writeFileSync(file, isInstalled(root) ? withoutDevelopment(text) : text)
  const verb = update ? 'update' : 'create'
  step(`${update ? 'updating' : 'creating'} the Python environment in ${folder} with ${conda}`)
  await lock.run(conda, ['env', verb, '--prefix', folder, '--file', file], {
    cwd: root,
    env: { ...env, CONDA_ALWAYS_YES: 'true', MAMBA_ALWAYS_YES: 'true' },
    logFile,
    onLine: (line) => {
      if (/^(Collecting package metadata|Solving environment|Preparing transaction|Installing pip dep)/.test(line))
        log(line.trim())
    },
    explain: (output, outcome) => {
      if (DISK.test(output)) return diskFull(folder)
      if (NETWORK.test(output))
        return `${conda} could not reach its channels; check the network and run the command again.`
      return `\`${conda} env ${verb}\`, which FEYNKAC_CONDA asks for, ${outcome}.`
    },
  })
}

module.exports = { install, explainPip, condaCommand, remove }
