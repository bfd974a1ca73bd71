'use strict'

/**
 * Refuses a Node.js that is too old, before any newer syntax is loaded. This file itself must parse on very old versions:
 * no arrow functions, template strings or `const`.
 */
var MAJOR = 20
var MINOR = 19

/**
 * @param {string} version such as `20.19.0`
 * @returns {string | null} one sentence, or null when the version will do
 */
function complaint(version) {
  var parts = version.split('.').map(Number)
  var major = parts[0] || 0
  var minor = parts[1] || 0
  if (major > MAJOR || (major === MAJOR && minor >= MINOR)) return null
  return (
    'Expected Node.js ' + MAJOR + '.' + MINOR + ' or newer, got ' + version + '; install it (with nvm: nvm install).'
  )
}

/** Ends the process with one sentence when this Node.js is too old. */
function requireNode() {
  var sentence = complaint(process.versions.node)
  if (sentence === null) return
  process.stderr.write('feynkac: ' + sentence + '\n')
  process.exit(1)
}

module.exports = { complaint: complaint, requireNode: requireNode }
