/**
 * Writes the API reference `docs/api/` from the doc comments of what ts/index.ts exports: `npm run docs`.
 * TypeDoc would need every algorithm's header comment repeated beside its default export, and shows neither the name nor the
 * options of one; the headers are the documentation here, so a page is made of them.
 */
const { mkdirSync, readdirSync, rmSync, writeFileSync } = require('node:fs')
const { dirname, join, relative, sep } = require('node:path')
const ts = require('typescript')

const root = join(__dirname, '..')

/** @typedef {{ name: string, file: string, text: string }} Entry */
/** @typedef {{ name: string, doc: string, place: string }} Undocumented */

/** Pages in reading order, each with the folders or files (without suffix) that it holds. @type {[string, string, string[]][]} */
const PAGES = [
  [
    'session',
    'Session: the worker, data, models, optimizers',
    ['ts/tensor/session', 'ts/tensor/model', 'ts/tensor/', 'bridge/python'],
  ],
  [
    'plans',
    'Plans, symbolic tensors and their functions',
    ['ts/tensor/plan', 'ts/tensor/remote', 'ts/tensor/functions'],
  ],
  ['kinds', 'The shapes of attacks, penalties, splitting methods and losses', ['ts/tensor/kinds']],
  ['methods', 'Attacks, threats, losses, penalties, splitting methods, schedules', ['ts/attacks/', 'ts/threats/']],
  [
    'training',
    'Training, evaluation, compaction and cost',
    ['ts/training/', 'ts/evaluation/', 'ts/compaction/', 'ts/cost/'],
  ],
  ['results', 'Records, tables and reports', ['ts/records/', 'ts/tables/', 'ts/report/']],
  ['errors', 'Errors', ['bridge/']],
]
for (const file of ['creation', 'tensor', 'methods']) PAGES[1]?.[2].push(`ts/tensor/${file}`)
for (const folder of ['losses', 'penalties', 'splitting', 'schedules']) PAGES[3]?.[2].push(`ts/${folder}/`)

/** The page with the longest matching place. @param {string} file */
function pageOf(file) {
  const fits = PAGES.flatMap(([page, , places]) => places.map((place) => ({ page, place })))
    .filter(({ place }) => (place.endsWith('/') ? file.startsWith(place) : file === `${place}.ts`))
    .sort((a, b) => b.place.length - a.place.length)
  // A folder that nobody assigned yet is still documented.
  return fits[0]?.page ?? 'training'
}

/** The first comment of a file: formula, source, meaning. @param {ts.SourceFile} file */
function headerOf(file) {
  const [first] = ts.getLeadingCommentRanges(file.text, 0) ?? []
  if (first === undefined || !file.text.startsWith('/**', first.pos)) return ''
  const lines = file.text.slice(first.pos + 3, first.end - 2).split('\n')
  return lines
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim()
}

/** Markdown takes stars, underscores and angle brackets for its own, except in code. @param {string} text */
const escape = (text) =>
  text
    .split(/(`[^`]*`)/)
    .map((part, i) => (i % 2 === 1 ? part : part.replace(/[*_<>[\]]/g, '\\$&')))
    .join('')
/** @param {string} text */
const cell = (text) => text.replace(/\|/g, '\\|').replace(/\s*\n\s*/g, ' ')
/** @param {string} text */
const oneLine = (text) => text.replace(/\s*\n\s*/g, ' ')
/** @param {string} text */
const code = (text) => `\`\`\`ts\n${text}\n\`\`\`\n`

/** @param {ts.Symbol} symbol @param {ts.TypeChecker} checker */
function docOf(symbol, checker) {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker))
  const throws = symbol.getJsDocTags(checker).filter(({ name }) => name === 'throws')
  return [text, ...throws.map((tag) => `Throws ${ts.displayPartsToString(tag.text)}.`)].filter(Boolean).join(' ')
}

/** The declaration without its body. @param {ts.Node} node @param {ts.SourceFile} file */
function signatureOf(node, file) {
  const end =
    'body' in node && node.body !== undefined ? /** @type {ts.Node} */ (node.body).getFullStart() : node.getEnd()
  return file.text
    .slice(node.getStart(file), end)
    .replace(/^(export )?(default )?(async )?(override )?/, '')
    .replace(/\breadonly (?=\w+\??:)/g, '')
    .trim()
}

/** @param {ts.Node} node */
const isHidden = (node) =>
  (ts.getCombinedModifierFlags(/** @type {ts.Declaration} */ (node)) &
    (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !==
  0

/** Whether a name is a symbol of the language, `[Symbol.dispose]`, or a constructor. @param {ts.Declaration} node */
const isSpecial = (node) =>
  ts.isConstructorDeclaration(node) || /^\[|^#/.test(ts.getNameOfDeclaration(node)?.getText() ?? '')

/** The public members of an interface, class or object type, those of our own base types included. */
/** @param {ts.Type} type @param {ts.TypeChecker} checker @param {ReadonlyMap<string, string>} [defaults] @returns {string} */
function membersOf(type, checker, defaults = new Map()) {
  const rows = type.getProperties().flatMap((member) => {
    const [node] = member.declarations ?? []
    if (node === undefined || isHidden(node) || isSpecial(node)) return []
    const file = node.getSourceFile()
    if (file.fileName.includes('node_modules')) return []
    const text = ts.isGetAccessor(node)
      ? signatureOf(node, file).replace(/^get (\w+)\(\)/, '$1')
      : signatureOf(node, file)
    const shown = oneLine(text.replace(/\/\*\*[\s\S]*?\*\//g, '').replace(/^\w+ = (?:function)?/, `${member.name} = `))
    const initial = defaults.get(member.name)
    return [
      `| \`${cell(initial === undefined ? shown : `${shown} = ${initial}`)}\` | ${cell(escape(docOf(member, checker)))} |`,
    ]
  })
  return rows.length === 0 ? '' : `\n| member | meaning |\n| --- | --- |\n${rows.join('\n')}\n`
}

/** What an algorithm makes: the type after `satisfies`, or that of the arrow. @param {ts.ArrowFunction} arrow @param {ts.SourceFile} file */
function madeBy(arrow, file) {
  if (arrow.type !== undefined) return arrow.type.getText(file)
  const found = [...arrow.getText(file).matchAll(/satisfies ([A-Z]\w*)/g)].at(-1)
  return found?.[1] ?? 'object'
}

/** The default of each option, from `({ c = 10 })`. @param {ts.ParameterDeclaration} parameter */
const defaultsOf = ({ name }) =>
  new Map(
    (ts.isObjectBindingPattern(name) ? [...name.elements] : []).flatMap(({ name, initializer }) =>
      initializer === undefined ? [] : [[name.getText(), initializer.getText()]],
    ),
  )

/** An algorithm: one file with a header, options and a default export. */
/** @param {string} name @param {ts.ExportAssignment} node @param {ts.TypeChecker} checker */
function algorithm(name, node, checker) {
  const file = node.getSourceFile()
  const path = relative(join(root, 'ts'), file.fileName).split(sep).join('/').replace(/\.ts$/, '')
  let signature = `import ${name} from 'feynkac/${path}'`
  let members = ''
  if (ts.isArrowFunction(node.expression)) {
    const [parameter] = node.expression.parameters
    const optional = parameter?.initializer === undefined ? '' : '?'
    const options = parameter === undefined ? '' : `options${optional}: ${parameter.type?.getText(file) ?? 'object'}`
    signature += `\n${name}(${options}): ${madeBy(node.expression, file)}`
    if (parameter !== undefined)
      members = membersOf(checker.getTypeAtLocation(parameter), checker, defaultsOf(parameter))
  }
  return { doc: headerOf(file), text: `${code(signature)}\n\`\`\`text\n${headerOf(file)}\n\`\`\`\n${members}` }
}

/** @param {ts.Symbol} symbol @param {ts.Declaration} node @param {ts.TypeChecker} checker */
function declared(symbol, node, checker) {
  const file = node.getSourceFile()
  const doc = docOf(symbol, checker)
  const prose = doc === '' ? '' : `\n${escape(doc)}\n`
  if (ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node)) {
    const head = signatureOf(node, file)
    const type = checker.getDeclaredTypeOfSymbol(symbol)
    return { doc, text: `${code(oneLine(head.slice(0, head.indexOf('{'))).trim())}${prose}${membersOf(type, checker)}` }
  }
  if (ts.isTypeAliasDeclaration(node)) {
    // Another name for an interface that is not exported itself.
    const members = ts.isTypeReferenceNode(node.type) && node.type.typeArguments === undefined
    const rows = members ? membersOf(checker.getDeclaredTypeOfSymbol(symbol), checker) : ''
    return { doc, text: `${code(signatureOf(node, file))}${prose}${rows}` }
  }
  const variable = ts.isVariableDeclaration(node) ? node : null
  const made = variable?.initializer
  if (made !== undefined && ts.isArrowFunction(made)) {
    const result = made.type?.getText(file) ?? madeBy(made, file)
    const parameters = made.parameters.map((parameter) => parameter.getText(file)).join(', ')
    return { doc, text: `${code(`${symbol.name}(${oneLine(parameters)}): ${result}`)}${prose}` }
  }
  if (variable !== null) {
    const names = checker
      .getTypeAtLocation(variable)
      .getProperties()
      .map(({ name }) => name)
    return { doc, text: `${code(`const ${symbol.name}: { ${names.join(', ')} }`)}${prose}` }
  }
  return { doc, text: `${code(signatureOf(node, file))}${prose}` }
}

/** Pages by file name, and the exported names without a doc comment. */
function reference() {
  const { config } = /** @type {{ config: { compilerOptions: object } }} */ (
    ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path))
  )
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  const program = ts.createProgram([join(root, 'ts', 'index.ts')], { ...options, types: ['node'], noEmit: true })
  const checker = program.getTypeChecker()
  const index = /** @type {ts.SourceFile} */ (program.getSourceFile(join(root, 'ts', 'index.ts')))
  const exported = checker.getExportsOfModule(/** @type {ts.Symbol} */ (checker.getSymbolAtLocation(index)))
  /** @type {Undocumented[]} */
  const undocumented = []
  const entries = exported.map((alias) => {
    const symbol = alias.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(alias) : alias
    const node = /** @type {ts.Declaration} */ (symbol.declarations?.[0])
    const file = relative(root, node.getSourceFile().fileName).split(sep).join('/')
    const { doc, text } = ts.isExportAssignment(node)
      ? algorithm(alias.name, node, checker)
      : declared(symbol, node, checker)
    if (doc === '') undocumented.push({ name: alias.name, doc, place: file })
    return { name: alias.name, file, text, doc }
  })
  return { pages: pagesOf(entries), undocumented, names: entries.map(({ name }) => name) }
}

/** @param {(Entry & { doc: string })[]} entries @returns {Record<string, string>} */
function pagesOf(entries) {
  const note = '<!-- Generated by `npm run docs` from the doc comments; do not edit. -->\n'
  const sorted = [...entries].sort((a, b) => (a.file === b.file ? order(a.name, b.name) : order(a.file, b.file)))
  /** @type {Record<string, string>} */
  const pages = {}
  let contents = `${note}\n# API reference\n\nEverything that \`import { … } from 'feynkac'\` gives. Sizes stand in brackets, \`[batch, channels, height, width]\`.\n`
  for (const [page, title] of PAGES) {
    const mine = sorted.filter(({ file }) => pageOf(file) === page)
    const list = mine.map(({ name, doc }, i) => {
      // A second heading that differs in case only gets a number, as GitHub and most renderers count.
      const same = mine.slice(0, i).filter((other) => other.name.toLowerCase() === name.toLowerCase()).length
      const anchor = `${name.toLowerCase()}${same === 0 ? '' : `-${same}`}`
      return `| [\`${name}\`](${page}.md#${anchor}) | ${cell(escape(firstSentence(doc)))} |`
    })
    contents += `\n## [${title}](${page}.md)\n\n| name | |\n| --- | --- |\n${list.join('\n')}\n`
    const bodies = mine.map(({ name, file, text }) => `\n## ${name}\n\n${text}\nDefined in [${file}](../../${file}).\n`)
    pages[`${page}.md`] = `${note}\n# ${title}\n${bodies.join('')}`
  }
  return { 'README.md': contents, ...pages }
}

/** @param {string} text */
const firstSentence = (text) =>
  // A formula that follows on its own lines is left to the page.
  (/^[\s\S]*?(?:[^.\s]\.(?=\s|$)|:(?=\n)|$)/.exec(text)?.[0] ?? '').replace(/:$/, '.').trim()

/** @param {string} a @param {string} b */
const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0)

module.exports = { reference }

if (require.main === module) {
  const folder = join(root, 'docs', 'api')
  const { pages } = reference()
  mkdirSync(dirname(join(folder, 'README.md')), { recursive: true })
  for (const name of readdirSync(folder)) if (!(name in pages)) rmSync(join(folder, name))
  for (const [name, text] of Object.entries(pages)) writeFileSync(join(folder, name), text)
}
