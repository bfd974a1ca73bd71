'use strict'

/**
 * Reads the `pip:` block of environment.yml without a YAML library, since this runs before anything is installed.
 * A test compares the result with a real YAML parser.
 */
const { SetupError } = require('./errors')

const DEVELOPMENT = /\s#\s*development\s*$/

/**
 * @param {string} text the content of environment.yml
 * @param {{ development: boolean }} options whether lines marked `# development` are wanted
 * @returns {string[]} pip requirements in the order of the file
 */
function readPipBlock(text, { development }) {
  const lines = text.split(/\r?\n/)
  const start = lines.findIndex((line) => /^\s*-\s+pip:\s*(#.*)?$/.test(line))
  if (start < 0)
    throw new SetupError('Expected environment.yml to have a `- pip:` block under `dependencies`, found none.')
  const indent = indentation(lines[start] ?? '')
  /** @type {string[]} */
  const found = []
  for (const line of lines.slice(start + 1)) {
    if (/^\s*(#.*)?$/.test(line)) continue
    if (indentation(line) <= indent) break
    const item = /^\s*-\s+(.*)$/.exec(line)?.[1]
    if (item === undefined)
      throw new SetupError(
        `Expected a line like \`- name==1.0\` in the pip block of environment.yml, got \`${line.trim()}\`.`,
      )
    if (development || !DEVELOPMENT.test(item))
      found.push(
        item
          .replace(/\s#.*$/, '')
          .trim()
          .replace(/^(['"])(.*)\1$/, '$2'),
      )
  }
  if (found.length === 0)
    throw new SetupError('Expected the pip block of environment.yml to list packages, found none.')
  return found
}

/** @param {string} line */
function indentation(line) {
  return line.length - line.trimStart().length
}

/**
 * environment.yml without the lines marked `# development`, for conda.
 * @param {string} text
 */
function withoutDevelopment(text) {
  return text
    .split('\n')
    .filter((line) => !DEVELOPMENT.test(line))
    .join('\n')
}

/**
 * The name of a requirement: `torch` of `torch==2.13.0`.
 * @param {string} requirement
 */
function requirementName(requirement) {
  return /^[A-Za-z0-9._-]+/.exec(requirement)?.[0] ?? requirement
}

module.exports = { readPipBlock, requirementName, withoutDevelopment }
