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

const tested = ['own_attack.ts', 'own_checkpoint.ts', 'own_method.ts', 'own_module.ts', 'own_penalty.ts']

test('every example is run here', () => {
  expect(readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.ts'))).toEqual(tested)
})

/** The counts of right answers that an example prints, by attack. */
const counts = (output: string): Record<string, number> =>
  Object.fromEntries([...output.matchAll(/^(\w+) (\d+) of 200$/gm)].map(([, name, count]) => [name!, Number(count)]))

test('own_attack.ts measures its attack beside known ones', async () => {
  const found = counts(await example('own_attack.ts'))
  expect(Object.keys(found)).toEqual(['natural', 'fgsm', 'pgd10', 'annealed_margin10'])
  expect(found['annealed_margin10']).toBeLessThan(found['natural']!)
  expect(found['annealed_margin10']).toBeLessThanOrEqual(found['fgsm']!)
})

test('own_module.ts trains, attacks and inspects a network from its own Python file', async () => {
  const output = await example('own_module.ts')
  expect(output).toMatch(/^SmallNet: 6506 parameters$/m)
  expect(output).toMatch(/^convolutions: stem\.weight, body\.0\.conv1\.weight, .*body\.1\.conv2\.weight$/m)
  const [, first, last] = /^adversarial loss ([\d.]+) -> ([\d.]+)$/m.exec(output) ?? []
  expect(Number(last)).toBeLessThan(Number(first))
  const { natural, fgsm, pgd10 } = counts(output)
  expect(natural).toBeGreaterThan(40) // chance is 20
  expect(Math.max(fgsm!, pgd10!)).toBeLessThan(natural!)
  expect(output).toMatch(/^0 of 33 input channels are zero$/m)
  expect(existsSync(join(folder, 'own_module.pt'))).toBe(true)
})

test('own_penalty.ts prunes whole filters', async () => {
  const zero = [...(await example('own_penalty.ts')).matchAll(/loss ([\d.]+), (\d+) of 120 filters/g)]
  expect(zero).toHaveLength(2)
  expect(Number(zero[1]![1])).toBeLessThan(Number(zero[0]![1]))
  expect(Number(zero[1]![2])).toBeGreaterThan(0)
  expect(Number(zero[1]![2])).toBeLessThan(120)
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
