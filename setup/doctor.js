'use strict'

/**
 * The checks behind `feynkac doctor`: what was found, and the one line that repairs each gap. Nothing here needs npm
 * packages or Python to be there, since their absence is what it reports.
 */
const childProcess = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { findDataSets } = require('./datasets')
const { SetupError } = require('./errors')
const { environmentFolder, findPython, packageRoot } = require('./environment')
const { isInstalled } = require('./locations')
const { complaint } = require('./node_version')
const { packagesInstalled } = require('./packages')
const { DEVELOPMENT, RUNTIME, isNewEnough, probe } = require('./python')

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {'ok' | 'warning' | 'missing'} state
 * @property {string} found
 * @property {string | null} repair the exact line to type, or what to do where no line can
 *
 * @typedef {object} Surroundings
 * @property {string} root
 * @property {NodeJS.ProcessEnv} env
 * @property {NodeJS.Platform} platform
 * @property {string} cwd the user's folder: their data sets and their TypeScript
 */

const GIGABYTE = 1e9
/** Free space below which a set-up or a training run is likely to fail. */
const LITTLE_SPACE_BYTES = 3 * GIGABYTE

/** @type {(name: string, found: string) => Check} */
const ok = (name, found) => ({ name, state: 'ok', found, repair: null })
/** @type {(name: string, found: string, repair: string) => Check} */
const missing = (name, found, repair) => ({ name, state: 'missing', found, repair })
/** @type {(name: string, found: string, repair: string | null) => Check} */
const warning = (name, found, repair) => ({ name, state: 'warning', found, repair })

/**
 * @param {string} version of Node.js
 * @returns {Check}
 */
function checkNode(version) {
  return complaint(version) === null
    ? ok('Node.js', version)
    : missing('Node.js', `${version}, too old`, 'nvm install 20 (or install Node.js 20.19 or newer)')
}

/**
 * npm packages with native parts are loaded in a process of their own, since a broken binary may crash.
 * @param {Surroundings} surroundings
 * @returns {Check[]}
 */
function checkPackages({ root, env }) {
  // A bare `npm ci` runs install scripts of packages, which nothing here needs and which download from other hosts.
  const install = isInstalled(root) ? 'npm install feynkac' : 'node bin/feynkac.js setup'
  const complete = isInstalled(root) || packagesInstalled(root)
  const loaded = ['zeromq', 'msgpackr'].map((name) => {
    const { status, stderr } = childProcess.spawnSync(process.execPath, ['-e', `require('${name}')`], {
      cwd: root,
      env,
      encoding: 'utf8',
    })
    if (status === 0) return ok(name, packageVersion(name, root))
    const reason = /^(?:\w*Error.*|.*cannot open.*)$/m.exec(stderr)?.[0] ?? 'does not load'
    const absent = stderr.includes(`Cannot find module '${name}'`)
    return missing(name, absent ? 'not installed' : reason, absent ? install : `npm rebuild ${name}`)
  })
  return [
    complete
      ? ok('npm packages', 'as package-lock.json says')
      : missing('npm packages', 'not as package-lock.json says', install),
    ...loaded,
  ]
}

/**
 * The version of a package that loads; read from the file, since not every package exports its package.json.
 * @param {string} name
 * @param {string} root
 */
function packageVersion(name, root) {
  const folders = require.resolve.paths(name) ?? []
  const file = [path.join(root, 'node_modules'), ...folders]
    .map((folder) => path.join(folder, name, 'package.json'))
    .find((candidate) => fs.existsSync(candidate))
  return file === undefined ? 'unknown version' : String(JSON.parse(fs.readFileSync(file, 'utf8')).version)
}

/**
 * @param {Surroundings} surroundings
 * @returns {Check[]}
 */
function checkPython(surroundings) {
  const { root, env } = surroundings
  const make = isInstalled(root) ? 'npx feynkac setup' : 'node bin/feynkac.js setup'
  /** @type {ReturnType<typeof findPython>} */
  let found
  try {
    found = findPython(surroundings)
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    return [missing('Python', `no environment in ${environmentFolder(surroundings)}`, make)]
  }
  const { python, source } = found
  const repair = source === 'environment' ? make : null
  const names = Object.entries(isInstalled(root) ? RUNTIME : { ...RUNTIME, ...DEVELOPMENT })
  const facts = probe(python, [], { root, env, mode: 'import', modules: names.map(([, module]) => module) })
  if (facts === null) {
    return [
      missing(
        'Python',
        `${python} does not run`,
        repair ?? 'unset FEYNKAC_PYTHON, or point it at a Python that has torch',
      ),
    ]
  }
  const shown = `${facts.version} (${python}${source === 'environment' ? '' : `, from ${source}`})`
  return [
    isNewEnough(facts.version) ? ok('Python', shown) : missing('Python', `${shown}, too old`, 'unset FEYNKAC_PYTHON'),
    ...names.flatMap(([name, module]) =>
      describeModule(name, facts.modules[module] ?? {}, repair ?? `${python} -m pip install ${name}`, surroundings),
    ),
  ]
}

/**
 * @param {string} name
 * @param {import('./python').ModuleFacts} facts
 * @param {string} repair
 * @param {Surroundings} surroundings
 * @returns {Check[]}
 */
function describeModule(name, facts, repair, { env }) {
  if (facts.error !== undefined) {
    // Without pytest, ruff or mypy everything but `npm test` works.
    return [name in DEVELOPMENT ? warning(name, facts.error, repair) : missing(name, facts.error, repair)]
  }
  if (name !== 'torch') return [ok(name, facts.version ?? 'unknown')]
  const build = facts.cuda ? `CUDA ${facts.cuda}` : 'CPU'
  return [ok('torch', `${facts.version} (${build} build)`), checkDevice(facts, hasNvidiaDriver(env))]
}

/**
 * @param {import('./python').ModuleFacts} torch
 * @param {boolean} driver whether the machine has an NVIDIA driver
 * @returns {Check}
 */
function checkDevice({ cuda, device }, driver) {
  if (device) return ok('CUDA', device)
  if (!driver) return ok('CUDA', 'no NVIDIA driver, the CPU is used')
  return cuda
    ? warning(
        'CUDA',
        `an NVIDIA driver, but this torch (CUDA ${cuda}) finds no device`,
        'nvidia-smi (does it list a GPU, and is the driver new enough?)',
      )
    : warning(
        'CUDA',
        'an NVIDIA driver, but torch is a CPU build',
        'point FEYNKAC_PYTHON at a Python with a CUDA build of torch',
      )
}

/** @param {NodeJS.ProcessEnv} env */
function hasNvidiaDriver(env) {
  return childProcess.spawnSync('nvidia-smi', ['-L'], { env, stdio: 'ignore' }).status === 0
}

/**
 * ts-node drives the compiler through an interface that TypeScript 7 no longer has.
 * @param {string} cwd the project of the user
 * @returns {Check}
 */
function checkTypeScript(cwd) {
  /** @type {string} */
  let version
  try {
    const file = require.resolve('typescript/package.json', { paths: [cwd] })
    version = JSON.parse(fs.readFileSync(file, 'utf8')).version
  } catch {
    return ok('TypeScript', 'none in this project (only needed for scripts in TypeScript)')
  }
  return Number(version.split('.')[0]) < 7
    ? ok('TypeScript', version)
    : warning(
        'TypeScript',
        `${version}, on which ts-node crashes`,
        'npm install --save-dev typescript@~5.9 ts-node@10.9.2',
      )
}

/**
 * @param {string} folder
 * @param {number} freeBytes
 * @returns {Check}
 */
function checkSpace(folder, freeBytes) {
  const shown = `${(freeBytes / GIGABYTE).toFixed(1)} GB free at ${folder}`
  return freeBytes >= LITTLE_SPACE_BYTES
    ? ok('disk', shown)
    : warning('disk', shown, 'npx feynkac clean (or free some space by other means)')
}

/**
 * @param {Surroundings} surroundings
 * @returns {Check}
 */
function checkDisk(surroundings) {
  let folder = environmentFolder(surroundings)
  while (!fs.existsSync(folder)) folder = path.dirname(folder)
  const { bavail, bsize } = fs.statfsSync(folder)
  return checkSpace(folder, bavail * bsize)
}

/**
 * Looks at everything. Takes a few seconds, since it imports torch.
 * @param {Partial<Surroundings>} [given]
 * @returns {Promise<Check[]>}
 */
async function examine(given = {}) {
  const surroundings = {
    root: packageRoot(),
    env: process.env,
    platform: process.platform,
    cwd: process.cwd(),
    ...given,
  }
  return Promise.resolve([
    checkNode(process.versions.node),
    ...checkPackages(surroundings),
    ...checkPython(surroundings),
    ...findDataSets(surroundings).map(({ name, found, repair }) =>
      repair === null ? ok(name, found) : warning(name, found, repair),
    ),
    checkTypeScript(surroundings.cwd),
    checkDisk(surroundings),
  ])
}

/**
 * Prints the checks as plain lines, for a command line that cannot be loaded; exit code 1 when something is missing.
 * @param {Check[]} [checks]
 */
async function print(checks) {
  const all = checks ?? (await examine())
  const width = Math.max(...all.map(({ name }) => name.length))
  for (const { name, state, found, repair } of all) {
    process.stdout.write(`${state.padEnd(8)} ${name.padEnd(width)}  ${found}\n`)
    if (repair !== null) process.stdout.write(`${' '.repeat(width + 11)}repair: ${repair}\n`)
  }
  if (all.some(({ state }) => state === 'missing')) process.exitCode = 1
}

module.exports = { examine, print, checkNode, checkDevice, checkTypeScript, checkSpace, describeModule }
