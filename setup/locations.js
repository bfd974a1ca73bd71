'use strict'

/** Where the package, its Python environment and the state of the set-up step live. */
const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { readPipBlock } = require('./requirements')

/**
 * What the functions of this folder look at; every field has the real one as default, tests pass their own.
 * @typedef {object} Place
 * @property {string} [root] the folder of feynkac's package.json
 * @property {NodeJS.ProcessEnv} [env]
 * @property {NodeJS.Platform} [platform]
 * @property {(line: string) => void} [log] receives one line of progress at a time
 */

/**
 * The folder that holds feynkac's package.json: this file is in `setup/` of it, or in `dist/setup/`.
 * @param {string} [from]
 * @returns {string}
 */
function packageRoot(from = __dirname) {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json')
    if (fs.existsSync(file) && JSON.parse(fs.readFileSync(file, 'utf8')).name === 'feynkac') return folder
    if (path.dirname(folder) === folder)
      throw new Error(`Expected a package.json named feynkac above ${from}, found none.`)
  }
}

/**
 * Whether npm put the package there (nobody develops inside node_modules), as opposed to a clone.
 * @param {string} root
 */
function isInstalled(root) {
  return root.split(path.sep).includes('node_modules')
}

/**
 * The lines of environment.yml that this place needs: a clone needs the development tools too.
 * @param {string} root
 * @returns {string[]}
 */
function requirements(root) {
  return readPipBlock(fs.readFileSync(path.join(root, 'environment.yml'), 'utf8'), { development: !isInstalled(root) })
}

/**
 * Twelve hex digits that change when the list of Python dependencies does.
 * @param {string[]} list
 */
function fingerprint(list) {
  return crypto.createHash('sha256').update(list.join('\n')).digest('hex').slice(0, 12)
}

/**
 * The folder for caches of the user's programs on this system.
 * @param {NodeJS.ProcessEnv} env
 * @param {NodeJS.Platform} platform
 */
function userCache(env, platform) {
  const home = env.HOME || env.USERPROFILE || os.homedir()
  if (platform === 'win32') return env.LOCALAPPDATA || path.join(home, 'AppData', 'Local')
  if (platform === 'darwin') return path.join(home, 'Library', 'Caches')
  // The XDG specification says that a relative path is invalid and must be ignored.
  return env.XDG_CACHE_HOME && path.isAbsolute(env.XDG_CACHE_HOME) ? env.XDG_CACHE_HOME : path.join(home, '.cache')
}

/**
 * Logs, locks and stamps of the set-up: `.feynkac/` of a clone, a folder in the user's cache for an installed package,
 * since node_modules is emptied by every `npm ci` and may be read-only.
 * @param {Place} [place]
 * @returns {string}
 */
function stateFolder({ root = packageRoot(), env = process.env, platform = process.platform } = {}) {
  if (!isInstalled(root)) return path.join(root, '.feynkac')
  const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
  return path.join(userCache(env, platform), 'feynkac', `${version}-${fingerprint(requirements(root))}`)
}

/**
 * The folder of the Python environment that the set-up step makes: `.venv/` of a clone, else in the user's cache.
 * @param {Place} [place]
 * @returns {string}
 */
function environmentFolder(place = {}) {
  const { root = packageRoot() } = place
  return isInstalled(root) ? path.join(stateFolder({ ...place, root }), 'venv') : path.join(root, '.venv')
}

/**
 * The interpreter of an environment folder (venv or conda prefix), or null when there is none.
 * @param {string} folder
 * @param {NodeJS.Platform} [platform]
 * @returns {string | null}
 */
function interpreterIn(folder, platform = process.platform) {
  const names = platform === 'win32' ? ['Scripts/python.exe', 'python.exe'] : ['bin/python', 'bin/python3']
  return names.map((name) => path.join(folder, name)).find((file) => fs.existsSync(file)) ?? null
}

module.exports = {
  packageRoot,
  isInstalled,
  requirements,
  fingerprint,
  userCache,
  stateFolder,
  environmentFolder,
  interpreterIn,
}
