/** The example scripts run as their readers run them: with ts-node, on the built package. */
import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { json, run, temporaryFolder } from './command_line'

const root = join(__dirname, '..', '..')
const folder = temporaryFolder()

/** Standard output of an example, run in the temporary folder. */
async function example(name: string, ...args: string[]): Promise<string> {
  const command = [require.resolve('ts-node/dist/bin'), join(root, 'examples', name)]
  const { stdout } = await promisify(execFile)(process.execPath, [...command, ...args], { cwd: folder })
  return stdout
}

const tested = ['own_checkpoint.ts', 'own_method.ts']

test('every example is run here', () => {
  expect(readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.ts'))).toEqual(tested)
})

test('own_method.ts trains with its own attack and splitting step', async () => {
  const losses = [...(await example('own_method.ts')).matchAll(/adversarial loss (\d+\.\d+) over 8 batches/g)].map(
    (match) => Number(match[1]),
  )
  expect(losses).toHaveLength(2)
  expect(losses[0]).toBeLessThan(10)
  expect(losses[1]).toBeLessThan(losses[0]!)
})

test('own_checkpoint.ts inspects, attacks and copies a checkpoint', async () => {
  const path = join(folder, 'net.pt')
  const small = ['--network', 'resnet8', '--width', '4', '--images', '128', '--epochs', '1', '--threads', '1']
  json(await run(['train', ...small, '--runs', join(folder, 'runs'), '--out', path, '--format', 'pt', '--json']))
  const output = await example('own_checkpoint.ts', path)
  expect(output).toMatch(/^ResNet8: 0 of 57 input channels are zero$/m)
  expect(output).toMatch(/^natural \d+ of 200$/m)
  expect(output).toMatch(/^ifgsm20 \d+ of 200$/m)
  expect(existsSync(join(folder, 'copy.pt'))).toBe(true)
  copyFileSync(join(folder, 'copy.pt'), join(folder, 'again.pt'))
  expect(json(await run(['inspect', join(folder, 'again.pt'), '--json']))).toMatchObject({
    architecture: 'ResNet8',
    members: 1,
    inputChannels: 57,
  })
})
