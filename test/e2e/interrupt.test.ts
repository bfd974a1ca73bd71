/** Ctrl-C while a command works: once it ends the work and tidies up, twice it ends at once. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Running, onlyRun, run, start, temporaryFolder, until, workerOf } from './command_line'

const folder = temporaryFolder()
const args = (runs: string): string[] => [
  ...[
    'train',
    '--network',
    'resnet8',
    '--width',
    '4',
    '--images',
    '64',
    '--epochs',
    '100000',
    '--threads',
    '1',
    '--iterations',
    '1',
  ],
  ...['--runs', join(folder, runs)],
]

/** A training run after its first epoch. */
async function training(runs: string): Promise<Running> {
  const running = start(args(runs))
  const experiment = join(folder, runs, 'train')
  await until(
    running,
    () =>
      existsSync(experiment) &&
      readdirSync(experiment).length === 1 &&
      existsSync(join(onlyRun(join(folder, runs), 'train'), 'metrics.jsonl')),
  )
  return running
}

/** Resolves when the command has said that it is stopping. */
const noted = ({ child }: Running): Promise<void> =>
  new Promise((resolve) => {
    child.stderr!.on('data', (data: Buffer) => {
      if (data.toString().includes('stopping (SIGINT); press Ctrl-C again to end at once')) resolve()
    })
  })

/** Whether a process is there and not merely waiting for its parent to notice its end. */
const alive = (pid: number): boolean => existsSync(`/proc/${pid}/exe`)

test('Ctrl-C once cancels and tidies up', async () => {
  const running = await training('once')
  const worker = workerOf(running)
  running.child.kill('SIGINT')
  const { code, stderr } = await running.finished
  expect(code).not.toBe(0)
  expect(stderr).toContain('stopped by SIGINT')
  expect(stderr).not.toContain('KeyboardInterrupt')
  expect(alive(worker)).toBe(false)
  // The folder is free, and holds a run that can go on.
  const path = onlyRun(join(folder, 'once'), 'train')
  expect(existsSync(join(path, 'lock'))).toBe(false)
  expect(existsSync(join(path, 'state.safetensors'))).toBe(true)
})

test('Ctrl-C twice ends at once with code 130', async () => {
  const running = await training('twice')
  const worker = workerOf(running)
  // A worker that does not answer: tidying up would take until it is given up.
  process.kill(worker, 'SIGSTOP')
  const stopping = noted(running)
  running.child.kill('SIGINT')
  await stopping
  running.child.kill('SIGINT')
  const { code, signal } = await running.finished
  expect({ code, signal }).toEqual({ code: 130, signal: null })
  await until({ ...running, finished: new Promise(() => undefined) }, () => !alive(worker))
  // The lock that stayed behind is of a dead process.
  expect((await run(['clean', '--runs', join(folder, 'twice')])).code).toBe(0)
})
