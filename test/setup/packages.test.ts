/** When `npm ci` is needed, and what the published package holds. */
import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ModuleKind, ModuleResolutionKind, resolveModuleName, sys } from 'typescript'
import { packageRoot } from '../../setup/environment'
import { linkOwnCommand, npmCommand, packagesInstalled } from '../../setup/packages'
import { KINDS, wrapModules } from '../../setup/wrappers'

const root = packageRoot()
let folder: string
beforeEach(() => (folder = realpathSync(mkdtempSync(join(tmpdir(), 'feynkac-packages-')))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('packagesInstalled', () => {
  const wanted = {
    packages: {
      '': {},
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b': { version: '1.0.0', optional: true },
    },
  }
  const installed = (packages: Record<string, { version: string }> | null): boolean => {
    mkdirSync(join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(wanted))
    if (packages) writeFileSync(join(folder, 'node_modules/.package-lock.json'), JSON.stringify({ packages }))
    return packagesInstalled(folder)
  }
  test('an interrupted installation has no hidden lock file', () => expect(installed(null)).toBe(false))
  test('the same versions', () => expect(installed({ 'node_modules/a': { version: '1.0.0' } })).toBe(true))
  test('another version', () => expect(installed({ 'node_modules/a': { version: '1.0.1' } })).toBe(false))
  test('a missing package', () => expect(installed({})).toBe(false))
  test('another version of an optional package', () => {
    expect(installed({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0' } })).toBe(false)
  })
})

test('the npm that runs us is used, else the one on the PATH', () => {
  const cli = join(folder, 'npm-cli.js')
  writeFileSync(cli, '')
  expect(npmCommand({ npm_execpath: cli }, 'linux')).toEqual({ command: process.execPath, args: [cli], shell: false })
  expect(npmCommand({ npm_execpath: '/somewhere/yarn.js' }, 'linux')).toEqual({
    command: 'npm',
    args: [],
    shell: false,
  })
  expect(npmCommand({}, 'win32').shell).toBe(true)
})

test('npx finds the command of the clone itself', () => {
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'bin/feynkac.js'), '')
  linkOwnCommand(folder, 'linux')
  linkOwnCommand(folder, 'linux') // again, over the old link
  const link = join(folder, 'node_modules/.bin/feynkac')
  expect(lstatSync(link).isSymbolicLink()).toBe(true)
  expect(realpathSync(link)).toBe(join(folder, 'bin/feynkac.js'))
})

test('import and require of a wrapped module give the same objects', () => {
  mkdirSync(join(folder, 'ts/attacks'), { recursive: true })
  // A getter as TypeScript writes it for `export { default as fgsm } from`, which Node's scanner of CommonJS does not see.
  const getter = 'enumerable: true, get: function () { return __importDefault(fgsm_1).default; }'
  writeFileSync(
    join(folder, 'ts/index.js'),
    `const __importDefault = (module) => module; const fgsm_1 = require('./attacks/fgsm'); Object.defineProperty(exports, 'fgsm', { ${getter} })`,
  )
  writeFileSync(
    join(folder, 'ts/attacks/fgsm.js'),
    'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = function fgsm() {}; exports.steps = 1',
  )
  wrapModules(folder)
  const script = `
    const assert = require('node:assert')
    Promise.all([import('./index.mjs'), import('./ts/attacks/fgsm.mjs')]).then(([index, attack]) => {
      assert.strictEqual(index.fgsm, require('./ts/attacks/fgsm.js').default)
      assert.strictEqual(attack.default, require('./ts/attacks/fgsm.js').default)
      assert.strictEqual(attack.steps, 1)
      console.log('same')
    })`
  expect(execFileSync(process.execPath, ['-e', script], { cwd: folder, encoding: 'utf8' })).toBe('same\n')
})

// `module: commonjs`, the usual setting under ts-node, resolves as Node 10 did and does not read `exports`.
test.each([
  ['ts-node (commonjs)', ModuleKind.CommonJS, ModuleResolutionKind.Node10, '.d.ts'],
  ['nodenext, require', ModuleKind.NodeNext, ModuleResolutionKind.NodeNext, '.d.ts'],
  ['nodenext, import', ModuleKind.NodeNext, ModuleResolutionKind.NodeNext, '.d.mts'],
  ['a bundler', ModuleKind.ESNext, ModuleResolutionKind.Bundler, '.d.mts'],
])('TypeScript finds the types of the package and of its parts: %s', (_name, module, moduleResolution, extension) => {
  const dist = join(folder, 'node_modules/feynkac/dist')
  mkdirSync(join(dist, 'ts/attacks'), { recursive: true })
  writeFileSync(join(folder, 'node_modules/feynkac/package.json'), readFileSync(join(root, 'package.json')))
  for (const file of ['ts/index.d.ts', 'index.d.mts', 'ts/attacks/fgsm.d.ts', 'ts/attacks/fgsm.d.mts']) {
    writeFileSync(join(dist, file), 'export {}')
  }
  const mode = extension === '.d.mts' ? ModuleKind.ESNext : ModuleKind.CommonJS
  const resolve = (name: string) =>
    resolveModuleName(name, join(folder, 'user.ts'), { module, moduleResolution }, sys, undefined, undefined, mode)
      .resolvedModule?.resolvedFileName
  expect(resolve('feynkac')).toBe(join(dist, extension === '.d.mts' ? 'index.d.mts' : 'ts/index.d.ts'))
  expect(resolve('feynkac/attacks/fgsm')).toBe(join(dist, `ts/attacks/fgsm${extension}`))
})

describe('package.json', () => {
  interface Package {
    exports: Record<string, unknown>
    typesVersions: { '*': Record<string, string[]> }
    files: string[]
    dependencies: Record<string, string>
  }
  const read = <T>(name: string) => JSON.parse(readFileSync(join(root, name), 'utf8')) as T
  const description = read<Package>('package.json')

  test('exports one subpath for each kind that the build wraps', () => {
    expect(Object.keys(description.exports).sort()).toEqual(
      ['.', './package.json', ...KINDS.map((kind) => `./${kind}/*`)].sort(),
    )
    expect(Object.keys(description.typesVersions['*']).sort()).toEqual(KINDS.map((kind) => `${kind}/*`))
  })

  test('the package holds what the worker and the set-up need at run time, and nothing private', () => {
    const npm = npmCommand(process.env, process.platform)
    const args = [...npm.args, 'pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error']
    const [packed] = JSON.parse(
      execFileSync(npm.command, args, { cwd: root, encoding: 'utf8', shell: npm.shell, maxBuffer: 1 << 26 }),
    ) as [{ files: { path: string }[] }]
    const files = packed.files.map(({ path }) => path)
    expect(files).toEqual(
      expect.arrayContaining([
        'bin/feynkac.js',
        'bridge/PROTOCOL.md',
        'bridge/ops.json',
        'environment.yml',
        'py/feynkac_worker/__init__.py',
        'setup/probe.py',
        'setup/environment.js',
        'CHANGELOG.md',
        'LICENSE',
        'README.md',
      ]),
    )
    expect(description.files).toEqual(expect.arrayContaining(['dist', 'data']))
    expect(
      files.filter((path) => /(^|\/)(node_modules|test|\.venv|runs|__pycache__|\.feynkac)\/|\.pyc$/.test(path)),
    ).toEqual([])
  })

  test('the lock file names no registry', () => {
    const lock = read<{ packages: Record<string, { resolved?: string }> }>('package-lock.json')
    const resolved = Object.values(lock.packages).filter((entry) => entry.resolved !== undefined)
    expect(Object.keys(lock.packages).length).toBeGreaterThan(100)
    expect(resolved).toEqual([])
  })

  // npm leaves out optional packages that its registry happens to lack, and `npm ci` then refuses the lock file everywhere.
  test('the lock file is complete, so that npm ci accepts it', () => {
    type Entry = {
      version?: string
      dependencies?: Record<string, string>
      optionalDependencies?: Record<string, string>
    }
    const { packages } = read<{ packages: Record<string, Entry> }>('package-lock.json')
    const resolves = (from: string, name: string): boolean => {
      if (`${from === '' ? '' : `${from}/`}node_modules/${name}` in packages) return true
      const above = from.lastIndexOf('/node_modules/')
      return from !== '' && resolves(above < 0 ? '' : from.slice(0, above), name)
    }
    const absent = Object.entries(packages).flatMap(([from, entry]) =>
      Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }).filter((name) => !resolves(from, name)),
    )
    expect(absent).toEqual([])
    const { dependencies } = packages[''] ?? {}
    expect(dependencies).toEqual(description.dependencies)
  })

  test('TypeScript stays below 7, which ts-node cannot load', () => {
    expect(read<{ version: string }>('node_modules/typescript/package.json').version).toMatch(/^[56]\./)
  })
})
