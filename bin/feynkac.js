#!/usr/bin/env node
'use strict'

/**
 * The command. In a clone it first brings packages, build and Python environment up to date, so that every command works
 * on a fresh checkout. `doctor` must also work where that is impossible.
 */
require('../setup/node_version').requireNode()
const path = require('node:path')

/** Commands that need no worker, hence no Python. */
const WITHOUT_PYTHON = new Set(['clean', 'doctor', 'help', 'keys', 'table', '-h', '--help', '-V', '--version'])

/** A reader that wants no more, such as `| head -1`, is no failure: the work goes on, and what it still prints is dropped. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
    if (error.code !== 'EPIPE') throw error
  })
}

async function run() {
  const prepare = require('../setup/prepare')
  const words = process.argv.slice(2)
  const command = words[0] ?? '--help'
  const elsewhere = words.some((word) => word === '--worker' || word.startsWith('--worker='))
  const asked = words.includes('--help') || words.includes('-h')
  const python = !WITHOUT_PYTHON.has(command) && !asked && !elsewhere
  if (command === 'doctor') {
    // It looks and changes nothing; whatever keeps the command line from loading is among the things that it looks at.
    const cli = loadOrNull()
    return cli === null ? require('../setup/doctor').print() : cli.main(process.argv)
  }
  if (!(await prepare.main({ python }))) return
  await load().main(process.argv)
}

/** @returns {{ main: (argv: string[]) => Promise<void> }} */
function load() {
  return require(path.join(__dirname, '..', 'dist', 'ts', 'cli', 'main.js'))
}

function loadOrNull() {
  try {
    return load()
  } catch {
    return null
  }
}

void run()
