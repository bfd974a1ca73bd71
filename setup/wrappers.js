'use strict'

/**
 * ES module entries of a CommonJS build: `dist/index.mjs`, and one beside every file that users import by its path
 * (`feynkac/attacks/fgsm`). They only re-export, so `import` and `require` give the same objects. Node gives an ES module
 * that imports CommonJS the whole `module.exports` as its default, hence the `.default`.
 */
const childProcess = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { SetupError } = require('./errors')

/** Folders of `ts/` that package.json exports file by file. */
const KINDS = ['attacks', 'losses', 'penalties', 'schedules', 'splitting', 'tables', 'threats']

/** @param {string} dist */
function wrapModules(dist) {
  const names = exportedNames(path.join(dist, 'ts', 'index.js'))
  fs.writeFileSync(
    path.join(dist, 'index.mjs'),
    `import module from './ts/index.js'\nexport const { ${names.join(', ')} } = module\n`,
  )
  fs.writeFileSync(path.join(dist, 'index.d.mts'), "export * from './ts/index.js'\n")
  for (const kind of KINDS) {
    const folder = path.join(dist, 'ts', kind)
    if (!fs.existsSync(folder)) continue
    for (const file of fs.readdirSync(folder).filter((name) => name.endsWith('.js'))) {
      const hasDefault = fs.readFileSync(path.join(folder, file), 'utf8').includes('exports.default =')
      const start = `${hasDefault ? `import module from './${file}'\n` : ''}export * from './${file}'\n`
      const stem = path.join(folder, file.slice(0, -'.js'.length))
      fs.writeFileSync(`${stem}.mjs`, start + (hasDefault ? 'export default module.default\n' : ''))
      fs.writeFileSync(
        `${stem}.d.mts`,
        start + (hasDefault ? 'declare const value: typeof module.default\nexport default value\n' : ''),
      )
    }
  }
}

/**
 * What a CommonJS module exports, by loading it in a process of its own: `export *` would miss what Node's scanner does not
 * see, such as `export { default as x } from`.
 * @param {string} file
 * @returns {string[]}
 */
function exportedNames(file) {
  const script = `console.log(JSON.stringify(Object.keys(require(${JSON.stringify(file)}))))`
  const { status, stdout, stderr } = childProcess.spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
  if (status !== 0) throw new SetupError(`The build does not load: ${file} failed.`, { tail: stderr.trim() })
  return JSON.parse(stdout)
}

module.exports = { KINDS, wrapModules }
