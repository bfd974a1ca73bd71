'use strict'

/**
 * Builds `dist/` of a clone: execa as one CommonJS file (jest on Node 20 cannot load its ES modules), TypeScript, and thin
 * ES module wrappers around the CommonJS build, so that there is one identity for every class. `node setup/build.js` runs it.
 */
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { wrapModules } = require('./wrappers')

/** Written last: the hash of the sources that `dist/` was built from. */
const STAMP = 'feynkac-build.json'
const SOURCES = [
  'bridge',
  'setup',
  'ts',
  'benchmarks',
  'package-lock.json',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
]
const VENDOR = ['bridge', 'vendor']
const NOTICES = 'LICENSE-execa'

/**
 * @param {string} root
 * @returns {string[]} the files that decide what the build makes, sorted
 */
function sourceFiles(root) {
  /** @type {(name: string) => string[]} */
  const below = (name) => {
    const file = path.join(root, name)
    if (!fs.existsSync(file) || name === path.join(...VENDOR)) return []
    if (!fs.statSync(file).isDirectory()) return /\.(ts|js|json)$/.test(name) ? [name] : []
    return fs.readdirSync(file).flatMap((entry) => below(path.join(name, entry)))
  }
  return SOURCES.flatMap(below).sort()
}

/** @param {string} root */
function sourceHash(root) {
  const hash = crypto.createHash('sha256')
  for (const name of sourceFiles(root)) hash.update(`${name}\0`).update(fs.readFileSync(path.join(root, name)))
  return hash.digest('hex')
}

/**
 * Whether `dist/` was built from the sources as they are, and the vendored files are there.
 * @param {string} root
 */
function isBuilt(root) {
  try {
    const { sources } = JSON.parse(fs.readFileSync(path.join(root, 'dist', STAMP), 'utf8'))
    return isVendored(root) && sources === sourceHash(root)
  } catch {
    return false
  }
}

/**
 * Whether `bridge/vendor/` holds the installed execa; the notices are written last.
 * @param {string} root
 */
function isVendored(root) {
  try {
    const { version } = JSON.parse(fs.readFileSync(path.join(root, 'node_modules', 'execa', 'package.json'), 'utf8'))
    return fs.readFileSync(path.join(root, ...VENDOR, NOTICES), 'utf8').includes(`\nexeca ${version} (`)
  } catch {
    return false
  }
}

/**
 * Bundles execa and the notices of everything in the bundle into `bridge/vendor/`.
 * @param {string} root
 */
function vendor(root) {
  const folder = path.join(root, ...VENDOR)
  fs.mkdirSync(folder, { recursive: true })
  /** @type {typeof import('esbuild')} */
  const esbuild = require(require.resolve('esbuild', { paths: [root] }))
  const { metafile } = esbuild.buildSync({
    absWorkingDir: root,
    entryPoints: ['node_modules/execa/index.js'],
    outfile: path.join(folder, 'execa.js'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    metafile: true,
    logLevel: 'error',
  })
  const packages = new Set(
    Object.keys(metafile.inputs).map((file) => /^(?:.*node_modules\/)((?:@[^/]+\/)?[^/]+)/.exec(file)?.[0]),
  )
  const notices = [...packages].flatMap((name) => (name === undefined ? [] : [notice(path.join(root, name))]))
  fs.writeFileSync(path.join(folder, 'execa.d.ts'), "export * from 'execa'\n")
  fs.writeFileSync(path.join(folder, NOTICES), `${notices.sort().join('\n\n')}\n`)
}

/**
 * The licence of one package under its name and version.
 * @param {string} folder
 */
function notice(folder) {
  const { name, version, license } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const file = fs.readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  if (file === undefined) throw new Error(`Expected ${name} to come with its licence, found no such file in ${folder}.`)
  return `${name} ${version} (${license})\n\n${fs.readFileSync(path.join(folder, file), 'utf8').trim()}`
}

/**
 * Builds everything into `dist/`. A failed or interrupted build leaves the old `dist/` in place.
 * @param {Required<import('./locations').Place>} place
 * @param {{ lock: import('./lock').Lock, logFile: string }} job
 */
async function build({ root, env }, { lock, logFile }) {
  const sources = sourceHash(root)
  const fresh = path.join(root, 'dist.new')
  const dist = path.join(root, 'dist')
  fs.rmSync(fresh, { recursive: true, force: true })
  if (!isVendored(root)) vendor(root)
  const compiler = require.resolve('typescript/bin/tsc', { paths: [root] })
  await lock.run(process.execPath, [compiler, '--project', 'tsconfig.build.json', '--outDir', fresh], {
    cwd: root,
    env: { ...env, NO_COLOR: '1' },
    logFile,
    explain: (_output, outcome) => `The TypeScript sources do not compile: tsc ${outcome}.`,
  })
  fs.cpSync(path.join(root, ...VENDOR), path.join(fresh, ...VENDOR), { recursive: true })
  wrapModules(fresh)
  fs.writeFileSync(path.join(fresh, STAMP), JSON.stringify({ sources }))
  fs.rmSync(dist, { recursive: true, force: true })
  fs.renameSync(fresh, dist)
}

module.exports = { isBuilt, isVendored, sourceHash, vendor, build }

if (require.main === module) {
  void require('./prepare').main({ python: false })
}
