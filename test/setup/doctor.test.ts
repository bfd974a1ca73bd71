/** What the doctor says, and the line that repairs each gap. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findDataSets } from '../../setup/datasets'
import { checkDevice, checkNode, checkSpace, checkTypeScript, examine } from '../../setup/doctor'
import { prepare } from '../../setup/environment'
import { FakePackage } from './fake'

let fake: FakePackage
beforeEach(() => (fake = new FakePackage()))
afterEach(() => fake.remove())

/** The checks by name. */
async function look(env: NodeJS.ProcessEnv = {}) {
  const { root, env: full, platform } = fake.place(env)
  const checks = await examine({ root, platform, cwd: fake.base, env: full })
  return Object.fromEntries(checks.map(({ name, ...rest }) => [name, rest]))
}

const MODULES = {
  torch: { version: '2.13.0+cu130', cuda: '13.0', device: 'NVIDIA H200' },
  numpy: { version: '2.4.6' },
  zmq: { error: "ModuleNotFoundError: No module named 'zmq'" },
  msgpack: { version: '1.2.4' },
  safetensors: { version: '0.8.0' },
  pytest: { version: '9.2.0' },
  ruff: { version: '0.17.6' },
  mypy: { error: "ModuleNotFoundError: No module named 'mypy'" },
}

test('on a bare clone it still answers, with a repair for everything that is missing', async () => {
  const found = await look()
  const repair = 'node bin/feynkac.js setup'
  expect(found['npm packages']).toEqual({ state: 'missing', found: 'not as package-lock.json says', repair })
  expect(found['zeromq']).toEqual({ state: 'missing', found: 'not installed', repair })
  expect(found['Python']).toEqual({
    state: 'missing',
    found: `no environment in ${join(fake.root, '.venv')}`,
    repair: 'node bin/feynkac.js setup',
  })
  expect(found['Node.js']).toMatchObject({ state: 'ok', repair: null })
})

test('the prepared environment: torch build, device, and what is missing in it', async () => {
  fake.command('python3')
  await prepare(fake.place())
  const found = await look({ FAKE_MODULES: JSON.stringify(MODULES) })
  expect(found['torch']).toEqual({ state: 'ok', found: '2.13.0+cu130 (CUDA 13.0 build)', repair: null })
  expect(found['CUDA']).toEqual({ state: 'ok', found: 'NVIDIA H200', repair: null })
  expect(found['pyzmq']).toEqual({ state: 'missing', found: MODULES.zmq.error, repair: 'node bin/feynkac.js setup' })
  expect(found['mypy']).toMatchObject({ state: 'warning' })
})

test('FEYNKAC_PYTHON: the repair is a line of pip for that interpreter', async () => {
  const python = fake.command('mine')
  const found = await look({ FEYNKAC_PYTHON: python, FAKE_MODULES: JSON.stringify(MODULES) })
  expect(found['Python']).toEqual({ state: 'ok', found: `3.12.1 (${python}, from FEYNKAC_PYTHON)`, repair: null })
  expect(found['pyzmq']?.repair).toBe(`${python} -m pip install pyzmq`)
  expect((await look({ FEYNKAC_PYTHON: '/no/python' }))['Python']).toMatchObject({
    state: 'missing',
    found: '/no/python does not run',
  })
})

test('an installed package is repaired through npm and npx', async () => {
  fake.remove()
  fake = new FakePackage({ installed: true })
  const found = await look()
  expect(found['zeromq']?.repair).toBe('npm install feynkac')
  expect(found['Python']?.repair).toBe('npx feynkac setup')
})

test('a package that is there and does not load is rebuilt', async () => {
  const folder = join(fake.root, 'node_modules/zeromq')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'index.js'), "throw new Error('No native build was found')")
  expect((await look())['zeromq']).toEqual({
    state: 'missing',
    found: 'Error: No native build was found',
    repair: 'npm rebuild zeromq',
  })
})

test('devices: a CPU machine is fine, an unused GPU is worth a word', () => {
  expect(checkDevice({ cuda: null, device: null }, false)).toMatchObject({
    state: 'ok',
    found: 'no NVIDIA driver, the CPU is used',
  })
  expect(checkDevice({ cuda: null, device: null }, true)).toMatchObject({
    state: 'warning',
    repair: 'point FEYNKAC_PYTHON at a Python with a CUDA build of torch',
  })
  expect(checkDevice({ cuda: '13.0', device: null }, true).found).toMatch(/this torch \(CUDA 13\.0\) finds no device/)
})

test('versions and disk space', () => {
  expect(checkNode('18.20.4')).toMatchObject({
    state: 'missing',
    repair: 'nvm install 20 (or install Node.js 20.19 or newer)',
  })
  expect(checkSpace('/x', 5e8)).toMatchObject({ state: 'warning', found: '0.5 GB free at /x' })
  expect(checkSpace('/x', 5e10).state).toBe('ok')
})

describe('TypeScript of the project', () => {
  const withVersion = (version: string) => {
    mkdirSync(join(fake.base, 'node_modules/typescript'), { recursive: true })
    writeFileSync(
      join(fake.base, 'node_modules/typescript/package.json'),
      JSON.stringify({ name: 'typescript', version }),
    )
    // A process of its own, since jest resolves modules in its own way.
    const script = `console.log(JSON.stringify(require(${JSON.stringify(require.resolve('../../setup/doctor'))}).checkTypeScript(${JSON.stringify(fake.base)})))`
    return JSON.parse(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' })) as ReturnType<
      typeof checkTypeScript
    >
  }

  test('5.9 is fine', () => expect(withVersion('5.9.3')).toMatchObject({ state: 'ok', found: '5.9.3' }))
  test('7 crashes ts-node: the pin', () => {
    expect(withVersion('7.0.2')).toEqual({
      name: 'TypeScript',
      state: 'warning',
      found: '7.0.2, on which ts-node crashes',
      repair: 'npm install --save-dev typescript@~5.9 ts-node@10.9.2',
    })
  })
})

test('data sets are found where their loaders look', () => {
  const base = mkdtempSync(join(tmpdir(), 'feynkac-data-'))
  try {
    const places = { root: join(base, 'root'), cwd: join(base, 'cwd'), debian: join(base, 'debian') }
    expect(findDataSets(places).map(({ repair }) => repair === null)).toEqual([false, false, false, false])
    mkdirSync(join(places.cwd, 'data/cifar-10-batches-bin'), { recursive: true })
    mkdirSync(join(places.cwd, 'data/cifar-100-python'))
    mkdirSync(places.debian)
    writeFileSync(join(places.debian, 'train-images-idx3-ubyte.gz'), '')
    mkdirSync(join(places.root, 'data'), { recursive: true })
    writeFileSync(join(places.root, 'data/fashion_mnist.npz'), '')
    expect(findDataSets(places).map(({ repair }) => repair)).toEqual([null, null, null, null])
  } finally {
    rmSync(base, { recursive: true, force: true })
  }
})
