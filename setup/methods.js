/**
 * Writes `ts/tensor/methods.ts` and `ts/tensor/creation.ts` from the op table: `node setup/methods.js`.
 * Required arguments are positional, optional ones lie in a last options object; enumerations become unions of strings.
 */
const { readFileSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')

const root = join(__dirname, '..')

/** @typedef {{ name: string, args: string[], doc: string, returns?: string, outputs?: string[], structural?: boolean }} Row */
/** @typedef {{ name: string, kinds: string[], optional: boolean }} Arg */

/** Structural nodes that are still plain methods. @type {ReadonlySet<string>} */
const PLAIN = new Set(['leaf', 'check_finite', 'print'])

/** @type {Record<string, string>} */
const TYPES = {
  tensor: 'TensorArg',
  number: 'NumberArg',
  'tensor|number': 'NumberArg',
  'tensor|number|none': 'NumberArg | null',
  int: 'number',
  'int|tensor': 'NumberArg',
  float: 'number',
  bool: 'boolean',
  ints: 'IntsArg',
  tensors: 'readonly TensorArg[]',
  dtype: 'Dtype',
  string: 'string',
  generator: 'Generator',
}

/** @param {string} name */
const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase())
/** @param {string} name */
const pascal = (name) => camel(`_${name}`)

/** @param {string} text @returns {Arg} */
function parseArg(text) {
  const [name, kind] = /** @type {[string, string]} */ (text.split(':'))
  return { name: camel(name), kinds: kind.replace(/\?$/, '').split('|'), optional: kind.endsWith('?') }
}

/** @param {Arg} arg */
function typeOf(arg) {
  const kind = arg.kinds.join('|')
  const type = kind.includes('/')
    ? kind
        .split('/')
        .map((choice) => `'${choice}'`)
        .join(' | ')
    : TYPES[kind]
  if (type === undefined)
    throw new Error(`Expected a kind with a TypeScript type (${Object.keys(TYPES).join(', ')}), got \`${kind}\``)
  return type
}

/** @param {Row} row */
function parseRow(row) {
  const args = row.args.map(parseArg)
  const method = args[0]?.name === 'self'
  const own = method ? args.slice(1) : args
  const required = own.filter((arg) => !arg.optional)
  const optional = own.filter((arg) => arg.optional)
  const numberFirst = method && args[0]?.kinds.join('|') === 'tensor|number'
  const count = row.outputs?.length ?? 0
  const result =
    count === 0 ? 'Tensor' : `[${/** @type {string[]} */ (row.outputs).map((name) => `${name}: Tensor`).join(', ')}]`
  return { row, method, required, optional, numberFirst, count, result }
}

/** @typedef {ReturnType<typeof parseRow>} Parsed */

/** @param {Row[]} table */
const rowsOf = (table) =>
  table.map((row, index) => ({ index, ...parseRow(row) })).filter(({ row }) => !row.structural || PLAIN.has(row.name))

/** @param {Parsed} parsed */
function optionsInterface({ row, optional }) {
  const lines = optional.map((arg) => `  readonly ${arg.name}?: ${typeOf(arg)}`)
  return `/** Options of \`${camel(row.name)}\`. */\nexport interface ${pascal(row.name)}Options {\n${lines.join('\n')}\n}\n`
}

/** @param {Parsed} parsed */
function parameters({ row, required, optional }) {
  const list = required.map((arg) => `${arg.name}: ${typeOf(arg)}`)
  if (optional.length > 0) list.push(`options: ${pascal(row.name)}Options = {}`)
  return list
}

/** @param {Parsed & { index: number }} parsed @param {string} emitter @param {string[]} first */
function body({ index, required, optional, count, result }, emitter, first) {
  const given = `[${[...first, ...required.map((arg) => arg.name)].join(', ')}]`
  const call = `${emitter}${count === 0 ? '' : 'List'}(${index}, ${given}${optional.length > 0 ? ', options' : ''})`
  return count === 0 ? call : `${call} as ${result}`
}

const HEADER = 'Generated from bridge/ops.json by `node setup/methods.js`; do not edit.'

/** @param {Set<string>} used @param {[string, string][]} imports */
const importLines = (used, imports) =>
  imports.flatMap(([names, from]) => {
    const kept = names.split(', ').filter((name) => used.has(name))
    return kept.length === 0 ? [] : [`import type { ${kept.join(', ')} } from '${from}'`]
  })

/** @param {string} text */
const wordsIn = (text) => new Set(text.match(/\w+/g) ?? [])

/** @param {Row[]} table */
function methodsFile(table) {
  const rows = rowsOf(table).filter((parsed) => parsed.method)
  const interfaces = rows.filter((parsed) => parsed.optional.length > 0).map(optionsInterface)
  const methods = rows.map((parsed) => {
    const head = `  ${camel(parsed.row.name)}(${parameters(parsed).join(', ')}): ${parsed.result} {`
    return `  /** ${parsed.row.doc} */\n${head}\n    return ${body(parsed, 'this.emit', ['this'])}\n  }\n`
  })
  const code = [
    ...interfaces,
    '/** The methods of a symbolic tensor. Each adds one node to the plan that is being traced. */',
    'export abstract class TensorMethods extends Symbolic {',
    '  protected abstract emit(op: number, args: readonly unknown[], options?: object): Tensor',
    '  protected abstract emitList(op: number, args: readonly unknown[], options?: object): Tensor[]',
    '',
    methods.join('\n') + '}\n',
  ]
  const text =
    code.slice(0, interfaces.length).join('\n') +
    (interfaces.length > 0 ? '\n' : '') +
    code.slice(interfaces.length).join('\n')
  const imports = importLines(wordsIn(text), [
    ['Dtype, IntsArg, NumberArg, TensorArg', './arguments'],
    ['Generator', './generator'],
  ])
  const head = [
    `/** ${HEADER} */`,
    ...imports,
    "import { Symbolic } from './symbolic'",
    "import type { Tensor } from './tensor'",
    '',
  ]
  return `${head.join('\n')}\n${text}`
}

/**
 * Functions: the rows without `self`, and those whose `self` may be a number. Not `where`: torch.where takes the condition first.
 * @param {Row[]} table
 */
function creationFile(table) {
  const rows = rowsOf(table).filter((parsed) => !parsed.method || (parsed.numberFirst && parsed.row.name !== 'where'))
  const interfaces = rows.filter((parsed) => !parsed.method && parsed.optional.length > 0).map(optionsInterface)
  const functions = rows.map((parsed) => {
    const own = parsed.method ? ['self: NumberArg'] : []
    const head = `export function ${camel(parsed.row.name)}(${[...own, ...parameters(parsed)].join(', ')}): ${parsed.result} {`
    return `/** ${parsed.row.doc} */\n${head}\n  return ${body(parsed, 'emitTensor', parsed.method ? ['self'] : [])}\n}\n`
  })
  const text = [...interfaces, ...functions].join('\n')
  const imports = importLines(wordsIn(text), [
    ['Dtype, IntsArg, NumberArg, TensorArg', './arguments'],
    ['Generator', './generator'],
  ])
  return `${[`/** ${HEADER} */`, ...imports, "import { type Tensor, emitTensor } from './tensor'", ''].join('\n')}\n${text}`
}

/** The generated files, path to text. @returns {Record<string, string>} */
function generate() {
  /** @type {Row[]} */
  const table = JSON.parse(readFileSync(join(root, 'bridge', 'ops.json'), 'utf8'))
  return { 'ts/tensor/methods.ts': methodsFile(table), 'ts/tensor/creation.ts': creationFile(table) }
}

module.exports = { generate }

if (require.main === module) {
  for (const [path, text] of Object.entries(generate())) writeFileSync(join(root, path), text)
}
