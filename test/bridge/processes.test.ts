/** No worker outlives its parent, however that ends, and nothing is left on disk. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Connection } from '../../bridge/connection'
import { packageRoot } from '../../bridge/root'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(os.tmpdir(), 'fk-test-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Runs, or is a zombie that only its own parent could reap: `kill -0` cannot tell the two apart. */
const runs = (pid: number): boolean => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !'ZX'.includes(stat[stat.lastIndexOf(')') + 2] ?? 'X')
  } catch {
    return false
  }
}

async function gone(pid: number): Promise<boolean> {
  const deadline = Date.now() + 10_000
  while (runs(pid)) {
    if (Date.now() > deadline) return false
    await delay(10)
  }
  return true
}

interface Parent {
  readonly child: ChildProcess
  readonly worker: number
  readonly ended: Promise<{ code: number | null; signal: string | null }>
}

async function start(ending: string): Promise<Parent> {
  const script = join(__dirname, 'parent.ts')
  const child = spawn(process.execPath, ['-r', 'ts-node/register/transpile-only', script, ending], {
    cwd: packageRoot(),
    env: { ...process.env, TMPDIR: folder, TS_NODE_PROJECT: join(packageRoot(), 'tsconfig.json'), NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  )
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const line = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('\n')) resolve(text)
    })
    child.once('close', () => reject(new Error(`The script ended early: ${errors}`)))
  })
  return { child, ended, worker: (JSON.parse(line) as { worker: number }).worker }
}

const leftovers = (): string[] => readdirSync(folder).filter((name) => name.startsWith('fk-'))

test.each([
  ['exit', { code: 0, signal: null }],
  ['throw', { code: 1, signal: null }],
  ['reject', { code: 1, signal: null }],
  ['forget', { code: 0, signal: null }],
] as const)('a script that ends by: %s', async (ending, expected) => {
  const { worker, ended } = await start(ending)
  expect(await ended).toEqual(expected)
  expect(await gone(worker)).toBe(true)
  expect(leftovers()).toEqual([])
})

test.each([
  ['SIGINT', 'signal'],
  ['SIGTERM', 'signal'],
  ['SIGHUP', 'signal'],
  ['SIGKILL', 'signal'],
  ['SIGKILL', 'signal while the worker is busy'],
] as const)('a script that is ended by %s (%s)', async (signal, ending) => {
  const { child, worker, ended } = await start(ending)
  expect(runs(worker)).toBe(true)
  child.kill(signal)
  expect(await ended).toEqual({ code: null, signal })
  expect(await gone(worker)).toBe(true)
  expect(leftovers()).toEqual([])
})

test('twenty sessions in sequence leave no process, file descriptor or folder', async () => {
  // jest hands out a copy of process.env, which tmpdir() does not read.
  const spy = jest.spyOn(os, 'tmpdir').mockReturnValue(folder)
  try {
    const workers: number[] = []
    let descriptors = 0
    for (let i = 0; i < 20; i++) {
      const connection = await Connection.open({ threads: 1, device: 'cpu' })
      workers.push(connection.welcome.pid)
      await connection.close()
      // The first sessions load modules and start pools.
      if (i === 2) descriptors = readdirSync('/proc/self/fd').length
    }
    expect(workers.filter(runs)).toEqual([])
    expect(leftovers()).toEqual([])
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(descriptors + 2)
  } finally {
    spy.mockRestore()
  }
}, 120_000)
