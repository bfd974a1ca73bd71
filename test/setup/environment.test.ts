/** findPython, prepare and every sentence that they can fail with. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { environmentFolder, findPython, packageRoot, prepare, stateFolder } from '../../setup/environment'
import { startTime } from '../../setup/lock'
import { FakePackage } from './fake'

let fake: FakePackage
beforeEach(() => (fake = new FakePackage()))
afterEach(() => fake.remove())

describe('findPython', () => {
  test('FEYNKAC_PYTHON wins over the prepared environment', async () => {
    fake.command('python3')
    await prepare(fake.place())
    expect(findPython(fake.place())).toEqual({ python: join(fake.root, '.venv/bin/python'), source: 'environment' })
    expect(findPython(fake.place({ FEYNKAC_PYTHON: '/my/python' }))).toEqual({
      python: '/my/python',
      source: 'FEYNKAC_PYTHON',
    })
  })

  test('without an environment it names the folder and the command that makes one', () => {
    expect(() => findPython(fake.place())).toThrow(
      `Expected a Python environment in ${join(fake.root, '.venv')}, found none; make it with: npx feynkac setup`,
    )
  })

  test('an installed package keeps its environment in the cache of the user', () => {
    const installed = new FakePackage({ installed: true })
    try {
      const { root } = installed
      const folder = (platform: NodeJS.Platform, env: NodeJS.ProcessEnv) => environmentFolder({ root, platform, env })
      expect(folder('linux', { HOME: '/h' })).toMatch(/^\/h\/\.cache\/feynkac\/1\.2\.3-[0-9a-f]{12}\/venv$/)
      expect(folder('linux', { HOME: '/h', XDG_CACHE_HOME: '/c' })).toMatch(/^\/c\/feynkac\//)
      expect(folder('linux', { HOME: '/h', XDG_CACHE_HOME: 'relative' })).toMatch(/^\/h\/\.cache\//)
      expect(folder('darwin', { HOME: '/h' })).toMatch(/^\/h\/Library\/Caches\/feynkac\//)
      expect(folder('win32', { LOCALAPPDATA: '/l' })).toMatch(/^\/l\/feynkac\//)
    } finally {
      installed.remove()
    }
  })
})

describe('prepare', () => {
  test('makes the environment once; the second time it only looks', async () => {
    fake.command('python3')
    expect(await prepare(fake.place())).toMatchObject({ source: 'environment', changed: true })
    const pip = fake.calls().find((call) => call.startsWith('-m pip install')) ?? ''
    expect(pip).toMatch(/ torch==\S+ numpy\S+ .*pytest/)
    expect(pip).not.toMatch(/index-url|isolated/)

    fake.forget()
    expect(await prepare(fake.place())).toMatchObject({ changed: false })
    expect(fake.calls()).toHaveLength(1) // the version of the interpreter
  })

  test('a changed list of packages is installed into the same environment', async () => {
    fake.command('python3')
    await prepare(fake.place())
    writeFileSync(join(fake.root, '.venv', 'keep'), '')
    const file = join(fake.root, 'environment.yml')
    writeFileSync(file, readFileSync(file, 'utf8').replace('msgpack>=', 'msgpack!=9,>='))
    expect(await prepare(fake.place())).toMatchObject({ changed: true })
    expect(existsSync(join(fake.root, '.venv', 'keep'))).toBe(true)
    expect(fake.calls().filter((call) => call.startsWith('-m venv'))).toHaveLength(1)
  })

  test('an environment whose base Python has changed is brought up to date', async () => {
    fake.command('python3')
    await prepare(fake.place())
    expect(await prepare(fake.place({ FAKE_VERSION: '3.13.0' }))).toMatchObject({ changed: true })
  })

  test('an environment that no longer runs is made anew', async () => {
    fake.command('python3')
    await prepare(fake.place())
    writeFileSync(join(fake.root, '.venv/bin/python'), 'broken')
    fake.forget()
    await prepare(fake.place())
    expect(fake.calls().filter((call) => call.startsWith('-m venv'))).toHaveLength(1)
  })

  test('an installed package asks pip only for what the worker needs', async () => {
    const installed = new FakePackage({ installed: true })
    try {
      installed.command('python3')
      const { python } = await prepare(installed.place())
      expect(python.startsWith(join(installed.base, 'home', '.cache', 'feynkac'))).toBe(true)
      expect(installed.calls().join('\n')).not.toMatch(/pytest|ruff|mypy/)
      expect(existsSync(join(installed.root, '.venv'))).toBe(false)
    } finally {
      installed.remove()
    }
  })

  test('two at once: one works, the other waits and finds it done', async () => {
    fake.command('python3')
    const both = await Promise.all([prepare(fake.place()), prepare(fake.place())])
    expect(both.map(({ changed }) => changed).sort()).toEqual([false, true])
    expect(fake.calls().filter((call) => call.startsWith('-m pip'))).toHaveLength(1)
  })

  test('after kill -9 in the middle, the next run ends what was left over and starts again', async () => {
    fake.command('python3')
    const place = { ...fake.place({ FAKE_PIP: 'hang' }), log: undefined }
    const script = `require(${JSON.stringify(join(packageRoot(), 'setup/environment.js'))}).prepare(${JSON.stringify(place)})`
    const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('close', resolve))
    const lock = join(stateFolder(fake.place()), 'set-up.lock')
    const pip = await until(() => {
      if (!fake.calls().some((call) => call.startsWith('-m pip'))) return undefined
      return (JSON.parse(readFileSync(lock, 'utf8')) as { tool: { pid: number } | null }).tool?.pid
    })
    child.kill('SIGKILL')
    await ended
    expect(() => findPython(fake.place())).toThrow(/found an unfinished one/)
    writeFileSync(join(fake.root, '.venv', 'half-written'), '')

    expect(await prepare(fake.place())).toMatchObject({ changed: true })
    expect([null, 'ended']).toContain(startTime(pip))
    expect(existsSync(join(fake.root, '.venv', 'half-written'))).toBe(false)
    expect(existsSync(lock)).toBe(false)
  })

  test('conda is used when the user asks for it, also instead of an environment that pip made', async () => {
    fake.command('python3')
    await prepare(fake.place())
    const conda = `#!/bin/sh\necho "conda $*" >> "$FAKE_CALLS"\n/bin/mkdir -p "$4/conda-meta" "$4/bin"\n/bin/cp "${fake.bin}/python3" "$4/bin/python"\n`
    fake.command('mamba', conda)
    const folder = join(fake.root, '.venv')
    fake.forget()
    expect(await prepare(fake.place({ FEYNKAC_CONDA: 'mamba' }))).toMatchObject({ changed: true })
    expect(fake.calls()).toContain(
      `conda env create --prefix ${folder} --file ${join(fake.root, '.feynkac/environment.yml')}`,
    )
    expect(await prepare(fake.place({ FEYNKAC_CONDA: 'mamba' }))).toMatchObject({ changed: false })
    expect(await prepare(fake.place())).toMatchObject({ changed: false })
  })
})

describe('each failure is one sentence', () => {
  const failing = (env: NodeJS.ProcessEnv = {}) => expect(prepare(fake.place(env))).rejects

  test('no Python at all: what was tried', async () => {
    await failing().toThrow(
      /^Python was not found \(tried python3, python, python3\.13, .*\); install Python 3\.10 or newer/,
    )
  })

  test('only an old Python', async () => {
    fake.command('python3')
    await failing({ FAKE_VERSION: '3.8.18' }).toThrow(
      /^Expected Python 3\.10 or newer, found only 3\.8\.18 \(python3\); install/,
    )
  })

  test('no venv module: the line for Debian', async () => {
    fake.command('python3')
    await failing({ FAKE_MISSING: '["ensurepip"]' }).toThrow(
      /^Python 3\.12\.1 \(python3\) cannot make .* `ensurepip` is missing; on Debian and Ubuntu: sudo apt install python3-venv/,
    )
  })

  test.each([
    [
      'WARNING: Retrying after NewConnectionError\nERROR: No matching distribution found for torch==2.13.0',
      /^pip could not reach its package index/,
    ],
    [
      'ERROR: No matching distribution found for torch==2.13.0',
      /^pip found no build of torch==2\.13\.0 for this Python and system/,
    ],
    ['OSError: [Errno 28] No space left on device', /^The disk that holds \S+ is full; free at least 2 GB/],
    ['something else', /^pip ended with exit code 1\.$/],
  ])('pip says %j', async (said, sentence) => {
    fake.command('python3')
    await failing({ FAKE_PIP: said }).toMatchObject({
      message: expect.stringMatching(sentence) as string,
      tail: said,
      logFile: join(fake.root, '.feynkac/python.log'),
    })
  })

  test('torch is there and cannot be imported', async () => {
    fake.command('python3')
    await failing({
      FAKE_MODULES: '{"torch":{"error":"ImportError: libgomp.so.1: cannot open shared object file"}}',
    }).toThrow(/^The Python environment was made, but `import torch` fails in \S+: ImportError: libgomp\.so\.1/)
    expect(existsSync(join(fake.root, '.venv/feynkac.json'))).toBe(false)
  })

  test('the folder cannot be written', async () => {
    fake.command('python3')
    writeFileSync(join(fake.root, '.feynkac'), 'a file where the folder should be')
    await failing().toThrow(/EEXIST|ENOTDIR/)
    rmSync(join(fake.root, '.feynkac'))
  })

  test('conda is not there', async () => {
    await failing({ FEYNKAC_CONDA: '1' }).toThrow(
      /^`conda env create`, which FEYNKAC_CONDA asks for, could not be started \(spawn conda ENOENT\)\.$/,
    )
  })

  test('FEYNKAC_PYTHON does not run, is too old, has no torch', async () => {
    await failing({ FEYNKAC_PYTHON: '/no/such/python' }).toThrow(
      'Expected FEYNKAC_PYTHON to name a Python interpreter, got `/no/such/python`, which does not run.',
    )
    const python = fake.command('mine')
    await failing({ FEYNKAC_PYTHON: python, FAKE_VERSION: '3.9.18' }).toThrow(
      /^Expected FEYNKAC_PYTHON to name Python 3\.10 or newer, got .* 3\.9\.18\.$/,
    )
    await failing({ FEYNKAC_PYTHON: python, FAKE_MODULES: '{"torch":{"error":"no"},"zmq":{"error":"no"}}' }).toThrow(
      `to have torch, pyzmq, found no such module; install with: ${python} -m pip install torch pyzmq`,
    )
    mkdirSync(join(fake.root, '.venv'))
    expect(await prepare(fake.place({ FEYNKAC_PYTHON: python }))).toEqual({
      python,
      source: 'FEYNKAC_PYTHON',
      changed: false,
    })
  })
})

/** Waits for a condition that another process brings about. */
async function until<T>(condition: () => T | undefined): Promise<T> {
  for (;;) {
    const value = condition()
    if (value !== undefined) return value
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
