/** A run that is killed in the middle, at either end of the bridge, goes on where it was and ends with the same bits. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { json, onlyRun, run, start, temporaryFolder, until, workerOf } from './command_line'

const folder = temporaryFolder()
const tiny = [
  '--network',
  'enresnet8',
  '--members',
  '2',
  '--noise',
  '0.1',
  '--width',
  '4',
  '--images',
  '512',
  '--epochs',
  '4',
  '--threads',
  '1',
]
const train = (runs: string): string[] => [
  'train',
  ...tiny,
  '--method',
  'rgsm',
  '--lambda',
  '0.05',
  '--runs',
  join(folder, runs),
  '--json',
]

const metricsLines = (runs: string): number => {
  const experiment = join(folder, runs, 'train')
  if (!existsSync(experiment)) return 0
  const path = join(onlyRun(join(folder, runs), 'train'), 'metrics.jsonl')
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0
}

/** What the run ended with: the weights' bytes and the metrics without their times. */
function ending(runs: string): { model: Buffer; metrics: unknown[] } {
  const path = onlyRun(join(folder, runs), 'train')
  const lines = readFileSync(join(path, 'metrics.jsonl'), 'utf8').trim().split('\n')
  const metrics = lines.map((line) => ({ ...(JSON.parse(line) as object), seconds: null }))
  return { model: readFileSync(join(path, 'model.safetensors')), metrics }
}

let undisturbed: ReturnType<typeof ending>

beforeAll(async () => {
  expect(json(await run(train('undisturbed')))).toMatchObject({
    network: 'En2ResNet8',
    method: 'RGSM',
    epochs: 4,
    n: 512,
  })
  undisturbed = ending('undisturbed')
})

test.each(['the command line', 'the worker'])('kill -9 of %s', async (victim) => {
  const runs = victim.replaceAll(' ', '-')
  const running = start(train(runs))
  await until(running, () => metricsLines(runs) >= 2)
  const worker = workerOf(running)
  process.kill(victim === 'the worker' ? worker : running.child.pid!, 'SIGKILL')
  const killed = await running.finished
  if (victim === 'the worker') {
    expect(killed.code).toBe(1)
    expect(killed.stderr).toContain('SIGKILL')
  } else expect(killed.signal).toBe('SIGKILL')
  expect(metricsLines(runs)).toBeLessThan(4)

  json(await run(train(runs)))
  const resumed = ending(runs)
  expect(resumed.metrics).toEqual(undisturbed.metrics)
  expect(resumed.model.equals(undisturbed.model)).toBe(true)
})

test('a finished run is not trained again', async () => {
  const before = readFileSync(join(onlyRun(join(folder, 'undisturbed'), 'train'), 'metrics.jsonl'), 'utf8')
  json(await run(train('undisturbed')))
  expect(readFileSync(join(onlyRun(join(folder, 'undisturbed'), 'train'), 'metrics.jsonl'), 'utf8')).toBe(before)
})
