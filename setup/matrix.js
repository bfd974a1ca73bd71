'use strict'

/**
 * `npm run matrix`: packs the package, installs it into an empty project, and runs one script in every way that users run theirs,
 * on this Node.js and on Node.js 22. Writes benchmarks/results/packaging-matrix.json. It is no part of `npm test`: it
 * installs about 300 MB of npm packages through the user's own npm settings. FEYNKAC_PYTHON saves the Python environment.
 */
require('./node_version').requireNode()

const childProcess = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { findPython, packageRoot } = require('./environment')
const { EXPECTED, PROJECTS } = require('./matrix_projects')
const { npmCommand } = require('./packages')

const OTHER_NODE = 22
const TOOLS = ['jest', 'ts-node', 'tsx', 'typescript', '@types/node']
const TIMEOUT_MS = 180_000

/** @typedef {{ status: number | null, output: string, seconds: number }} Outcome */

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, shell?: boolean }} options
 * @returns {Outcome}
 */
function execute(command, args, options) {
  const started = Date.now()
  const { status, stdout, stderr, error } = childProcess.spawnSync(command, args, {
    ...options,
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    maxBuffer: 1 << 26,
  })
  return { status, output: `${stdout}${stderr}${error ? error.message : ''}`, seconds: (Date.now() - started) / 1000 }
}

/** One matrix in one temporary folder. */
class Matrix {
  /** @param {string} root */
  constructor(root) {
    this.root = root
    this.folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'feynkac-matrix-')))
    /** @type {NodeJS.ProcessEnv} */
    this.env = { ...process.env, NO_COLOR: '1', FEYNKAC_PYTHON: findPython().python }
    // Of the npm that runs us: it would bring the settings of this checkout along.
    for (const name of Object.keys(this.env)) if (/^npm_(config|package|lifecycle)_/.test(name)) delete this.env[name]
    delete this.env.FORCE_COLOR
  }

  /**
   * @param {string} cwd
   * @param {string[]} args
   */
  npm(cwd, ...args) {
    const { command, args: first, shell } = npmCommand(process.env, process.platform)
    const outcome = execute(command, [...first, ...args, '--loglevel=error'], { cwd, env: this.env, shell })
    if (outcome.status !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${this.tail(outcome)}`)
    return outcome.output
  }

  /** The end of what was printed, without the folders of this machine. @param {Outcome} outcome */
  tail({ output }) {
    const lines = output.replaceAll(this.folder, '.').replaceAll(this.root, '.').trim().split('\n')
    return lines.slice(-12).join('\n')
  }

  /** Packs and installs the package and the tools; no install script may be needed. */
  install() {
    this.npm(this.root, 'pack', '--pack-destination', this.folder)
    const tarball = fs.readdirSync(this.folder).find((name) => name.endsWith('.tgz'))
    if (tarball === undefined) throw new Error('Expected `npm pack` to write a .tgz, found none')
    fs.writeFileSync(path.join(this.folder, 'package.json'), JSON.stringify({ private: true }))
    const { devDependencies } = JSON.parse(fs.readFileSync(path.join(this.root, 'package.json'), 'utf8'))
    const tools = TOOLS.map((name) => (name in devDependencies ? `${name}@${devDependencies[name]}` : name))
    this.npm(this.folder, 'install', '--ignore-scripts', '--no-audit', '--no-fund', `./${tarball}`, ...tools)
  }

  /** @param {string} name of an installed package */
  version(name, folder = this.folder) {
    return JSON.parse(fs.readFileSync(path.join(folder, 'node_modules', name, 'package.json'), 'utf8')).version
  }

  /**
   * Another Node.js out of an npm package, or null where there is none for this platform.
   * @returns {string | null}
   */
  otherNode() {
    const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
    const folder = path.join(this.folder, 'other-node')
    fs.mkdirSync(folder)
    fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ private: true }))
    try {
      this.npm(folder, 'install', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${OTHER_NODE}`)
    } catch (error) {
      process.stdout.write(`Node.js ${OTHER_NODE} is left out: ${error instanceof Error ? error.message : ''}\n`)
      return null
    }
    return path.join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  }

  /**
   * Runs one project on one Node.js.
   * @param {import('./matrix_projects').Project} project
   * @param {string} node
   */
  row(project, node) {
    const cwd = fs.mkdtempSync(path.join(this.folder, 'project-'))
    for (const [name, text] of Object.entries(project.files)) fs.writeFileSync(path.join(cwd, name), text)
    const script = (/** @type {string} */ name) => path.join(this.folder, 'node_modules', name)
    const types = project.types
      ? execute(node, [script('typescript/bin/tsc'), '--noEmit', '-p', '.'], { cwd, env: this.env })
      : null
    const args = project.run.map((arg) => (arg.startsWith('bin:') ? script(arg.slice('bin:'.length)) : arg))
    const run = execute(node, args, { cwd, env: this.env })
    const works = run.status === 0 && run.output.includes(EXPECTED)
    return {
      types: types === null ? null : types.status === 0 ? 'ok' : this.tail(types),
      run: works ? 'ok' : this.tail(run) || 'printed nothing',
      seconds: Math.round(run.seconds * 10) / 10,
    }
  }

  /**
   * TypeScript 7 in the user's project: our command names the pin where ts-node crashes.
   * @param {string} node
   */
  doctor(node) {
    const cwd = path.join(this.folder, 'typescript-7')
    if (!fs.existsSync(cwd)) {
      fs.mkdirSync(cwd)
      fs.writeFileSync(path.join(cwd, 'package.json'), JSON.stringify({ private: true }))
      this.npm(cwd, 'install', '--ignore-scripts', '--no-audit', '--no-fund', 'typescript@7')
    }
    const bin = path.join(this.folder, 'node_modules', 'feynkac', 'bin', 'feynkac.js')
    const run = execute(node, [bin, 'doctor'], { cwd, env: this.env })
    const pinned = /TypeScript +7[^]*typescript@~5\.9/.test(run.output)
    return { types: null, run: pinned ? 'ok' : this.tail(run), seconds: Math.round(run.seconds * 10) / 10 }
  }
}

function main() {
  const root = packageRoot()
  const matrix = new Matrix(root)
  try {
    process.stdout.write(`packing and installing into an empty project\n`)
    matrix.install()
    const other = matrix.otherNode()
    const rows = [process.execPath, ...(other === null ? [] : [other])].flatMap((node) => {
      const version = childProcess.execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
      /** @param {string} name @param {() => ReturnType<Matrix['row']>} measure */
      const line = (name, measure) => {
        const row = { node: version, setup: name, ...measure() }
        const good = row.run === 'ok' && (row.types === null || row.types === 'ok')
        process.stdout.write(`${version}  ${name.padEnd(42)}${good ? 'ok' : 'FAILED'}\n`)
        if (!good) process.stdout.write(`${[row.types, row.run].filter((text) => text !== 'ok').join('\n')}\n`)
        return { ...row, good }
      }
      return [
        ...PROJECTS.map((project) => line(project.name, () => matrix.row(project, node))),
        line('TypeScript 7: doctor names the pin', () => matrix.doctor(node)),
      ]
    })
    const failed = rows.filter(({ good }) => !good).length
    const result = {
      date: new Date().toISOString().slice(0, 10),
      platform: `${process.platform} ${process.arch}`,
      feynkac: `v${matrix.version('feynkac')}`,
      tools: Object.fromEntries(TOOLS.map((name) => [name, `v${matrix.version(name)}`])),
      failed,
      rows: rows.map(({ good: _, ...row }) => row),
    }
    const file = path.join(root, 'benchmarks', 'results', 'packaging-matrix.json')
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`)
    process.stdout.write(`${rows.length - failed} of ${rows.length} work\n`)
    if (failed > 0) process.exitCode = 1
  } finally {
    fs.rmSync(matrix.folder, { recursive: true, force: true })
  }
}

main()
