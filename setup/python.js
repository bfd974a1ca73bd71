'use strict'

/** Finds a Python that can carry feynkac, and asks an interpreter what it is and what it has. */
const childProcess = require('node:child_process')
const path = require('node:path')
const { SetupError } = require('./errors')

/** Lowest minor version of Python 3. */
const MINIMUM_MINOR = 10

/** What the worker imports: pip name to module name. */
const RUNTIME = { torch: 'torch', numpy: 'numpy', pyzmq: 'zmq', msgpack: 'msgpack', safetensors: 'safetensors' }

/** What only the test command needs; the worker imports pillow for images in folders and onnx for an export, and says so. */
const DEVELOPMENT = {
  pytest: 'pytest',
  ruff: 'ruff',
  mypy: 'mypy',
  pillow: 'PIL',
  onnx: 'onnx',
  onnxscript: 'onnxscript',
}

/**
 * @typedef {{ error?: string, version?: string, cuda?: string | null, device?: string | null }} ModuleFacts
 * @typedef {{ version: string, executable: string, missing: string[], modules: Record<string, ModuleFacts> }} Facts
 * @typedef {{ command: string, args: string[], version: string }} Base
 */

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | null} standard output, or null when the command cannot be run or fails
 */
function output(command, args, env) {
  const result = childProcess.spawnSync(command, args, {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  })
  return result.status === 0 ? result.stdout.trim() : null
}

/**
 * The version of an interpreter, or null when it does not run. Works for every Python that exists.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
function versionOf(command, args, env) {
  const text = output(command, [...args, '-c', 'import sys; print("%d.%d.%d" % sys.version_info[:3])'], env)
  return text !== null && /^\d+\.\d+\.\d+$/.test(text) ? text : null
}

/** @param {string} version */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major === 3 && minor >= MINIMUM_MINOR
}

/**
 * Asks an interpreter for its version and for modules.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ root: string, env: NodeJS.ProcessEnv, mode: 'find' | 'import', modules?: readonly string[] }} options
 *   `find` only looks whether a module is there (milliseconds), `import` loads it (seconds for torch).
 * @returns {Facts | null} null when the interpreter does not run
 */
function probe(command, args, { root, env, mode, modules = [] }) {
  const text = output(command, [...args, path.join(root, 'setup', 'probe.py'), mode, ...modules], env)
  if (text === null) return null
  try {
    return JSON.parse(text.slice(text.lastIndexOf('\n') + 1))
  } catch {
    return null
  }
}

/**
 * The commands that may be a Python, best first.
 * @param {NodeJS.Platform} platform
 * @returns {string[][]}
 */
function candidates(platform) {
  const numbered = ['3.13', '3.12', '3.11', '3.14', '3.10'].map((version) => [`python${version}`])
  return [...(platform === 'win32' ? [['py', '-3']] : []), ['python3'], ['python'], ...numbered]
}

/**
 * The first Python that is new enough and can make virtual environments.
 * @param {{ root: string, env: NodeJS.ProcessEnv, platform: NodeJS.Platform }} place
 * @returns {Base}
 */
function findBase({ root, env, platform }) {
  /** @type {string[]} */
  const old = []
  /** @type {string[]} */
  const incomplete = []
  const tried = candidates(platform)
  for (const [command = '', ...args] of tried) {
    const version = versionOf(command, args, env)
    if (version === null) continue
    const shown = `${version} (${[command, ...args].join(' ')})`
    if (!isNewEnough(version)) {
      old.push(shown)
      continue
    }
    const missing = probe(command, args, { root, env, mode: 'find' })?.missing ?? ['venv']
    if (missing.length === 0) return { command, args, version }
    incomplete.push(`Python ${shown} cannot make virtual environments, its module \`${missing[0]}\` is missing`)
  }
  if (incomplete.length > 0) {
    throw new SetupError(
      `${incomplete[0]}; on Debian and Ubuntu: sudo apt install python3-venv. Or point FEYNKAC_PYTHON at a Python that has torch.`,
    )
  }
  if (old.length > 0) {
    throw new SetupError(
      `Expected Python 3.${MINIMUM_MINOR} or newer, found only ${old.join(', ')}; install a newer one, or point FEYNKAC_PYTHON at it.`,
    )
  }
  const names = tried.map((words) => words.join(' ')).join(', ')
  throw new SetupError(
    `Python was not found (tried ${names}); install Python 3.${MINIMUM_MINOR} or newer, or point FEYNKAC_PYTHON at one that has torch.`,
  )
}

/**
 * Refuses an interpreter that the user named and that cannot run the worker.
 * @param {string} python the value of FEYNKAC_PYTHON
 * @param {{ root: string, env: NodeJS.ProcessEnv, development?: boolean }} options
 * @returns {Facts}
 */
function checkNamed(python, { root, env, development = false }) {
  const version = versionOf(python, [], env)
  if (version === null) {
    throw new SetupError(`Expected FEYNKAC_PYTHON to name a Python interpreter, got \`${python}\`, which does not run.`)
  }
  if (!isNewEnough(version)) {
    throw new SetupError(
      `Expected FEYNKAC_PYTHON to name Python 3.${MINIMUM_MINOR} or newer, got \`${python}\`, which is Python ${version}.`,
    )
  }
  const wanted = Object.entries(development ? { ...RUNTIME, ...DEVELOPMENT } : RUNTIME)
  const facts = probe(python, [], { root, env, mode: 'find', modules: wanted.map(([, module]) => module) })
  if (facts === null)
    throw new SetupError(`Python ${version} at \`${python}\` (FEYNKAC_PYTHON) failed while it looked for its modules.`)
  const missing = wanted.filter(([, module]) => facts.modules[module]?.error !== undefined).map(([name]) => name)
  if (missing.length > 0) {
    throw new SetupError(
      `Expected the Python that FEYNKAC_PYTHON names, \`${python}\`, to have ${missing.join(', ')}, found no such module; ` +
        `install with: ${python} -m pip install ${missing.join(' ')}`,
    )
  }
  return facts
}

module.exports = { RUNTIME, DEVELOPMENT, versionOf, isNewEnough, probe, findBase, checkNamed }
