/**
 * Writes ts/tensor/methods.ts from the op table: one typed, documented method or function for each row of bridge/ops.json that is not structural.
 * Required arguments are positional, optional ones fields of a last options object.   node setup/methods.js [--check]
 */
const { readFileSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')

/** @typedef {{ name: string, args: string[], doc: string, returns?: string, outputs?: string[], structural?: boolean }} Row */
/** @typedef {{ name: string, kinds: string[], optional: boolean }} Arg */

const root = join(__dirname, '..')
const target = join(root, 'ts', 'tensor', 'methods.ts')

/** @param {string} name */
const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase())

/** @param {string} text @returns {Arg} */
function parse(text) {
  const [name = '', spec = ''] = text.split(':')
  return { name, kinds: spec.replace(/\?$/, '').split('|'), optional: spec.endsWith('?') }
}

/** @type {Record<string, string>} */
const TYPES = {
  tensor: 'Operand',
  tensors: 'readonly Operand[]',
  number: 'Numeric',
  int: 'number',
  float: 'number',
  bool: 'boolean',
  ints: 'readonly number[]',
  dtype: 'DType',
  string: 'string',
  strings: 'readonly string[]',
  generator: 'Generator',
  none: 'null',
}

/** @param {Arg} arg */
function typeOf({ kinds }) {
  const types = kinds.map((kind) => (kind.includes('/') ? kind.split('/').map((choice) => `'${choice}'`).join(' | ') : TYPES[kind]))
  const distinct = types.includes('Numeric') ? types.filter((type) => type !== 'Operand' && type !== 'number') : types
  return distinct.join(' | ')
}

/** @param {Row} row */
function signature(row) {
  const all = row.args.map(parse)
  const method = all[0]?.name === 'self'
  const args = method ? all.slice(1) : all
  const required = args.filter((arg) => !arg.optional)
  const optional = args.filter((arg) => arg.optional)
  const fields = optional.map((arg) => `readonly ${camel(arg.name)}?: ${typeOf(arg)}`).join('; ')
  const parameters = [
    ...required.map((arg) => `${camel(arg.name)}: ${typeOf(arg)}`),
    ...(optional.length > 0 ? [`options: { ${fields} } = {}`] : []),
  ].join(', ')
  const given = all.map((arg) => (arg.name === 'self' && method ? 'this' : arg.optional ? `options.${camel(arg.name)}` : camel(arg.name)))
  const outputs = row.outputs?.map((output) => `${output}: Tensor`)
  const result = outputs ? `[${outputs.join(', ')}]` : 'Tensor'
  return { method, name: camel(row.name), parameters, given: given.join(', '), result }
}

/** The text of ts/tensor/methods.ts. */
function generate() {
  /** @type {Row[]} */
  const rows = JSON.parse(readFileSync(join(root, 'bridge', 'ops.json'), 'utf8'))
  const signatures = rows.filter((row) => !row.structural).map((row) => ({ row, ...signature(row) }))
  /** @param {Row} row @param {string} given @param {string} result @param {string} emit */
  const body = (row, given, result, emit) =>
    row.outputs ? `return ${emit}List('${row.name}', [${given}], ${row.outputs.length}) as ${result}` : `return ${emit}('${row.name}', [${given}])`
  const methods = signatures
    .filter(({ method }) => method)
    .map(({ row, name, parameters, given, result }) => `  /** ${row.doc} */\n  ${name}(${parameters}): ${result} {\n    ${body(row, given, result, 'this.emit')}\n  }`)
  const functions = signatures
    .filter(({ method }) => !method)
    .map(({ row, name, parameters, given, result }) => `/** ${row.doc} */\nexport function ${name}(${parameters}): ${result} {\n  ${body(row, given, result, 'emit')}\n}`)
  return `/** Generated from bridge/ops.json by setup/methods.js: the methods of symbolic tensors, and the functions that make tensors. Do not edit. */
import type { Generator } from './remote'
import type { DType, Numeric, Operand } from './operand'
import type { Tensor } from './tensor'
import { emit } from './trace'

/** One method for each op of the table that starts from a tensor. */
export abstract class TensorMethods {
  protected abstract emit(op: string, args: readonly unknown[]): Tensor
  protected abstract emitList(op: string, args: readonly unknown[], length: number): Tensor[]

${methods.join('\n\n')}
}

${functions.join('\n\n')}
`
}

/** The generated text in the project's format. */
async function formatted() {
  const prettier = require('prettier')
  return prettier.format(generate(), { ...(await prettier.resolveConfig(target)), filepath: target })
}

module.exports = { formatted, target }

if (require.main === module) {
  formatted().then((text) => {
    if (!process.argv.includes('--check')) return writeFileSync(target, text)
    if (readFileSync(target, 'utf8') !== text) {
      console.error('Expected ts/tensor/methods.ts to fit bridge/ops.json, got another text; run `node setup/methods.js`')
      process.exitCode = 1
    }
  })
}
