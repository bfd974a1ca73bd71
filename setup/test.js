'use strict'

/** `npm test`: the set-up, then every check. `npm test -- --only jest,pytest` selects some of them. */
require('./node_version').requireNode()

async function run() {
  const { runChecks, select } = require('./checks')
  const { findPython, packageRoot } = require('./environment')
  const { main } = require('./prepare')
  /** @type {ReturnType<typeof select>} */
  let selection
  try {
    selection = select(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`npm test: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 2
    return
  }
  if (!(await main({ development: true, dist: false }))) return
  const passed = runChecks({ ...selection, root: packageRoot(), python: findPython().python })
  if (!passed) process.exitCode = 1
}

void run()
