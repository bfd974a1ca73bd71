'use strict'

/**
 * `npm run fuzz -- --minutes 10 --seed 1`: the fuzzers of test/fuzz, for as long as asked: the worker and its files for two thirds
 * of the time, the connection for one. Prints what was tried; a finding is saved under `.feynkac/fuzz/` and fails the command.
 */
require('./node_version').requireNode()

const childProcess = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { findPython } = require('./environment')
const { packageRoot, stateFolder } = require('./locations')

/**
 * The last line of a fuzzer, which is JSON.
 * @param {string} name
 * @param {string} command
 * @param {readonly string[]} args
 */
function report(name, command, args) {
  const { status, stdout } = childProcess.spawnSync(command, args, {
    cwd: packageRoot(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const line = (stdout ?? '').trim().split('\n').pop() ?? ''
  if (!line.startsWith('{'))
    throw new Error(`Expected the fuzzer of the ${name} to end with JSON, it ended with ${status}`)
  return JSON.parse(line)
}

/**
 * @param {string} text
 * @param {string} name
 * @param {number} least
 */
function expectNumber(text, name, least) {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value >= least) return value
  throw new TypeError(`Expected \`--${name}\` to be a number of at least ${least}, got \`${text}\``)
}

function main() {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
  })
  const minutes = expectNumber(values.minutes, 'minutes', 0)
  const seed = Math.floor(expectNumber(values.seed, 'seed', 0))
  const folder = path.join(stateFolder(), 'fuzz')
  const fuzz = path.join(packageRoot(), 'test', 'fuzz')
  const worker = report('worker', findPython().python, [
    ...[path.join(fuzz, 'main.py'), '--minutes', String((minutes * 2) / 3)],
    ...['--seed', String(seed), '--out', folder],
  ])
  const answers = report('answers', process.execPath, [
    ...['-r', 'ts-node/register/transpile-only', path.join(fuzz, 'answers.ts')],
    ...[String(seed), String(minutes / 3)],
  ])
  const tried = { ...worker.tried, answers: answers.tried }
  for (const [name, count] of Object.entries(tried)) process.stdout.write(`${name.padEnd(24)}${count} inputs\n`)
  /** @type {string[]} */
  const findings = worker.findings
  for (const { input, problem } of answers.findings) {
    const file = path.join(folder, `answers-${seed}-${findings.length}.bin`)
    fs.mkdirSync(folder, { recursive: true })
    fs.writeFileSync(file, Buffer.from(input, 'hex'))
    findings.push(`${path.basename(file)}: ${problem}`)
  }
  for (const finding of findings) process.stdout.write(`FOUND ${finding}\n`)
  process.stdout.write(
    `${findings.length} findings with seed ${seed}${findings.length > 0 ? `, inputs in ${folder}` : ''}\n`,
  )
  if (findings.length > 0) process.exitCode = 1
}

try {
  main()
} catch (error) {
  process.stderr.write(`npm run fuzz: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
}
