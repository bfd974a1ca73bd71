'use strict'

/** The checks of `npm test`, cheap ones first, and the runner that reports one line for each. */
const childProcess = require('node:child_process')
const path = require('node:path')

/**
 * @typedef {{ name: string, commands: (tools: Tools) => string[][] }} Check
 * @typedef {{ node: (packageName: string, bin: string) => string[], python: string, root: string }} Tools
 */

/** @type {readonly Check[]} */
const CHECKS = [
  {
    name: 'prettier',
    commands: ({ node }) => [[...node('prettier', 'bin/prettier.cjs'), '--check', '--log-level', 'warn', '.']],
  },
  {
    name: 'ruff',
    commands: ({ python }) => [
      [python, '-m', 'ruff', 'check', '--quiet'],
      [python, '-m', 'ruff', 'format', '--check', '--quiet'],
    ],
  },
  { name: 'build', commands: ({ root }) => [[process.execPath, path.join(root, 'setup', 'build.js')]] },
  { name: 'tsc', commands: ({ node }) => [[...node('typescript', 'bin/tsc'), '--noEmit']] },
  { name: 'eslint', commands: ({ node }) => [[...node('eslint', 'bin/eslint.js'), '--max-warnings', '0']] },
  { name: 'mypy', commands: ({ python }) => [[python, '-m', 'mypy', '--no-error-summary']] },
  { name: 'pytest', commands: ({ python }) => [[python, '-m', 'pytest']] },
  { name: 'jest', commands: ({ node }) => [[...node('jest', 'bin/jest.js'), '--ci', '--maxWorkers=2']] },
]

/**
 * Reads `--only jest,pytest`; what follows goes to the one selected check.
 * @param {readonly string[]} argv
 * @returns {{ checks: Check[], extra: string[] }}
 */
function select(argv) {
  const known = CHECKS.map((check) => check.name)
  const [flag, value, ...extra] = argv
  if (flag === undefined) return { checks: [...CHECKS], extra: [] }
  if (flag !== '--only' || value === undefined) {
    throw new TypeError(`Expected \`--only NAME,NAME\` with names from ${known.join(', ')}, got \`${argv.join(' ')}\`.`)
  }
  const names = value.split(',')
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new TypeError(`Expected a check out of ${known.join(', ')}, got \`${unknown}\`.`)
  if (extra.length > 0 && names.length > 1) {
    throw new TypeError(`Expected one check when arguments for it follow, got \`${value}\`.`)
  }
  return {
    checks: CHECKS.filter((check) => names.includes(check.name)),
    extra: extra[0] === '--' ? extra.slice(1) : extra,
  }
}

/**
 * Runs the checks one after the other, all of them even when one fails.
 * @param {{ checks: readonly Check[], extra: readonly string[], root: string, python: string, write?: (text: string) => void }} options
 * @returns {boolean} whether all passed
 */
function runChecks({ checks, extra, root, python, write = (text) => void process.stdout.write(text) }) {
  /** @type {Tools} */
  const tools = { root, python, node: (name, bin) => [process.execPath, path.join(root, 'node_modules', name, bin)] }
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env }
  if (!process.stdout.isTTY) {
    env.NO_COLOR = '1'
    delete env.FORCE_COLOR
  }
  const results = checks.map((check) => {
    write(`\n── ${check.name}\n`)
    const started = Date.now()
    const failures = check.commands(tools).filter(([command = '', ...args]) => {
      const { status, error } = childProcess.spawnSync(command, [...args, ...extra], {
        cwd: root,
        env,
        stdio: 'inherit',
      })
      if (error) write(`${command} could not be started (${error.message})\n`)
      return status !== 0
    })
    return { name: check.name, passed: failures.length === 0, seconds: (Date.now() - started) / 1000 }
  })
  write('\n')
  for (const { name, passed, seconds } of results) {
    write(`${name.padEnd(10)}${(passed ? 'ok' : 'FAILED').padEnd(8)}${seconds.toFixed(1).padStart(7)} s\n`)
  }
  const failed = results.filter(({ passed }) => !passed).length
  const total = results.reduce((sum, { seconds }) => sum + seconds, 0)
  write(
    `${failed === 0 ? 'all checks passed' : `${failed} of ${results.length} checks failed`} in ${total.toFixed(1)} s\n`,
  )
  return failed === 0
}

module.exports = { CHECKS, select, runChecks }
