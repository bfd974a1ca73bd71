'use strict'

/** The npm packages of a clone: `npm ci` when what is installed differs from package-lock.json. */
const fs = require('node:fs')
const path = require('node:path')
const { diskFull } = require('./errors')

const NETWORK =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET|CERT_|SELF_SIGNED|FETCH_ERROR/

/** @typedef {{ packages?: Record<string, { version?: string, optional?: boolean }> }} LockFile */

/**
 * Whether node_modules holds what package-lock.json asks for. npm writes its hidden lock file last, so an interrupted
 * installation does not pass.
 * @param {string} root
 */
function packagesInstalled(root) {
  const wanted = readLockFile(path.join(root, 'package-lock.json'))
  const installed = readLockFile(path.join(root, 'node_modules', '.package-lock.json'))
  if (installed === null) return false
  return Object.entries(wanted?.packages ?? {}).every(([folder, { version, optional }]) => {
    const found = installed.packages?.[folder]
    return folder === '' || (found === undefined ? optional === true : found.version === version)
  })
}

/**
 * @param {string} file
 * @returns {LockFile | null}
 */
function readLockFile(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}

/**
 * The npm that runs us when there is one, else the one on the PATH.
 * @param {NodeJS.ProcessEnv} env
 * @param {NodeJS.Platform} platform
 * @returns {{ command: string, args: string[], shell: boolean }}
 */
function npmCommand(env, platform) {
  const running = env.npm_execpath
  if (running && /npm-cli\.c?js$/.test(running) && fs.existsSync(running)) {
    return { command: process.execPath, args: [running], shell: false }
  }
  return { command: 'npm', args: [], shell: platform === 'win32' }
}

/**
 * @param {Required<import('./locations').Place>} place
 * @param {{ lock: import('./lock').Lock, logFile: string }} job
 */
async function installPackages({ root, env, platform }, { lock, logFile }) {
  const { command, args, shell } = npmCommand(env, platform)
  // No package here needs its install script: the native ones ship their binaries.
  await lock.run(command, [...args, 'ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: root,
    env: { ...env, NO_COLOR: '1' },
    logFile,
    shell,
    explain: (output, outcome) => {
      if (/ENOSPC/.test(output)) return diskFull(root)
      if (NETWORK.test(output)) {
        return 'npm could not reach its registry; check the network and the npm settings (npm config list), then run the command again.'
      }
      if (/can only install .* in sync/.test(output)) {
        return 'package.json and package-lock.json disagree; run npm install once, which mends the lock file.'
      }
      return `\`npm ci\` ${outcome}.`
    },
  })
  linkOwnCommand(root, platform)
}

/**
 * npm links the commands of dependencies, not the one of the package itself; with this link `npx feynkac` works in a clone
 * at once and without the network.
 * @param {string} root
 * @param {NodeJS.Platform} platform
 */
function linkOwnCommand(root, platform) {
  const link = path.join(root, 'node_modules', '.bin', 'feynkac')
  fs.mkdirSync(path.dirname(link), { recursive: true })
  fs.rmSync(link, { force: true })
  if (platform === 'win32') fs.writeFileSync(`${link}.cmd`, '@node "%~dp0\\..\\..\\bin\\feynkac.js" %*\r\n')
  else fs.symlinkSync(path.join('..', '..', 'bin', 'feynkac.js'), link)
}

module.exports = { packagesInstalled, installPackages, npmCommand, linkOwnCommand }
