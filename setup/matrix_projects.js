'use strict'

/**
 * The projects of the packaging matrix: what a user's folder holds in each of the ways to run a script. All of them import the
 * package by its name from `node_modules`, as a user does.
 */

/**
 * @typedef {object} Project
 * @property {string} name
 * @property {Record<string, string>} files
 * @property {string[]} run arguments of Node.js; `bin:NAME` stands for the script of an installed package
 * @property {boolean} types whether tsc has to resolve the types in this folder
 */

/** What every script prints when the worker has answered. */
const EXPECTED = 'feynkac gives 42'

const USE = `async function main() {
  await using session = await connect({ device: 'cpu', threads: 1 })
  const x = session.put(new Float32Array([20, 22]))
  const sum = await total(x).item()
  if (threshold !== l0) throw new Error('two identities of one function')
  if (typeof fgsm !== 'function') throw new Error('no attack under its own path')
  console.log('feynkac gives ' + sum)
`
/** The comment fails the compilation when the package has no types: then the next line would be no error. */
const TYPED = `  // @ts-expect-error a sum is a number
  const wrong: string = sum
  void wrong
}
void main()
`
const BY_PATH = `import fgsm from 'feynkac/attacks/fgsm'
import l0 from 'feynkac/penalties/l0'
`
const BY_NAME = "import { fgsm, l0 } from 'feynkac'\n"

/** @type {(imports: string) => string} */
const script = (imports) => `import { connect, l0 as threshold, plan, type Tensor } from 'feynkac'
${imports}
const total = plan('total', (x: Tensor) => x.sum())

${USE}${TYPED}`
// Node 20 has no `await using`: plain JavaScript closes by hand.
const PLAIN_USE = USE.replace('await using session', 'const session') + '  await session.close()\n}\n'
const REQUIRE = `const { connect, l0: threshold, plan } = require('feynkac')
const { default: fgsm } = require('feynkac/attacks/fgsm')
const { default: l0 } = require('feynkac/penalties/l0')

const total = plan('total', (x) => x.sum())

${PLAIN_USE}`
const IMPORT = `import { connect, l0 as threshold, plan } from 'feynkac'
import fgsm from 'feynkac/attacks/fgsm'
import l0 from 'feynkac/penalties/l0'

const total = plan('total', (x) => x.sum())

${PLAIN_USE}await main()
`
const JEST = `${REQUIRE}
test('the worker answers', main, 60_000)
`

/** @type {(type: 'commonjs' | 'module') => string} */
const description = (type) => JSON.stringify({ private: true, type })

/** @type {(module: string) => string} */
const settings = (module) =>
  JSON.stringify({
    compilerOptions: {
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable'],
      module,
      ...(module === 'commonjs' ? { moduleResolution: 'node10' } : {}),
      strict: true,
      esModuleInterop: true,
      skipLibCheck: true,
      types: ['node'],
    },
    files: ['script.ts'],
  })

/** @type {(type: 'commonjs' | 'module', module: string, imports?: string) => Record<string, string>} */
const typescript = (type, module, imports = BY_PATH) => ({
  'package.json': description(type),
  'tsconfig.json': settings(module),
  'script.ts': script(imports),
})

/** @type {readonly Project[]} */
const PROJECTS = [
  {
    name: 'ts-node, CommonJS',
    files: typescript('commonjs', 'commonjs'),
    run: ['bin:ts-node/dist/bin.js', 'script.ts'],
    types: true,
  },
  {
    name: 'ts-node, CommonJS, module nodenext',
    files: typescript('commonjs', 'nodenext'),
    run: ['bin:ts-node/dist/bin.js', 'script.ts'],
    types: true,
  },
  {
    name: 'ts-node -T',
    files: typescript('commonjs', 'commonjs'),
    run: ['bin:ts-node/dist/bin.js', '-T', 'script.ts'],
    types: true,
  },
  {
    // The type checker of ts-node resolves subpaths of ES modules as if they were required (tsc and tsx do not), so a default
    // import by path compiles only without it.
    name: 'node --loader ts-node/esm',
    files: typescript('module', 'nodenext', BY_NAME),
    run: ['--loader', 'ts-node/esm', 'script.ts'],
    types: true,
  },
  {
    name: 'node --loader ts-node/esm/transpile-only',
    files: typescript('module', 'nodenext'),
    run: ['--loader', 'ts-node/esm/transpile-only', 'script.ts'],
    types: true,
  },
  {
    name: 'tsx, CommonJS',
    files: typescript('commonjs', 'commonjs'),
    run: ['bin:tsx/dist/cli.mjs', 'script.ts'],
    types: true,
  },
  {
    name: 'tsx, ES modules',
    files: typescript('module', 'nodenext'),
    run: ['bin:tsx/dist/cli.mjs', 'script.ts'],
    types: true,
  },
  {
    name: 'require',
    files: { 'package.json': description('commonjs'), 'script.js': `${REQUIRE}void main()\n` },
    run: ['script.js'],
    types: false,
  },
  {
    name: 'import',
    files: { 'package.json': description('module'), 'script.js': IMPORT },
    run: ['script.js'],
    types: false,
  },
  {
    name: 'jest',
    files: {
      'package.json': description('commonjs'),
      'script.test.js': JEST,
      'jest.config.js': 'module.exports = {}\n',
    },
    run: ['bin:jest/bin/jest.js', '--ci', '--silent=false'],
    types: false,
  },
]

module.exports = { EXPECTED, PROJECTS }
