/** `feynkac figures` for the figures of paper A, and `feynkac inspect --report` and `--norms`. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RunFolder } from '../../ts/records/run_folder'
import { smokeRecords } from '../records/fake'
import { normList } from '../records/norm_lists'
import { useWorker } from '../support/worker'
import { json, run, temporaryFolder } from './command_line'

const paper = 'sparsity-meets-robustness'
const folder = temporaryFolder()
const [plain, ensemble, runs, out] = ['plain.pt', 'ensemble.pt', 'runs', 'out'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
  string,
]
const [rgsm, admm] = [join(folder, 'rgsm.txt'), join(folder, 'admm.txt')]
const worker = useWorker()

beforeAll(async () => {
  const options = { width: 4, channels: 1, stem_stride: 2 }
  await (await worker().model('resnet8', options)).save(plain, { format: 'pt' })
  await (await worker().model('enresnet8', { ...options, members: 2, seed: 1 })).save(ensemble, { format: 'pt' })
  writeFileSync(rgsm, normList(171))
  writeFileSync(admm, normList(30))
  for (const record of smokeRecords()) {
    using open = RunFolder.open(runs, 'tables', record.config)
    open.writeRecord({ ...record, experiment: 'tables', hash: open.hash })
  }
})

const figure = (number: number, ...args: string[]) =>
  run(['figures', `${paper}/figure-${number}`, '--runs', runs, '--out', out, '--json', ...args])
const valuesOf = async (number: number, ...args: string[]) =>
  json(await figure(number, ...args))['values'] as Record<string, unknown>[]

test('figures 1 and 2 from checkpoints', async () => {
  const [shares, layers] = await Promise.all([
    valuesOf(1, plain, ensemble, '--labels', 'NT,AT'),
    valuesOf(2, plain, ensemble, '--layer', 'layer3.0.conv2'),
  ])
  expect(shares).toMatchObject([{ title: 'NT' }, { title: 'AT' }])
  expect(shares[1]!['total']).toBe(2 * (shares[0]!['total'] as number))
  const layer = { layer: 'layer3.0.conv2', total: 16 * 16 * 9, zero: 0, zeroChannels: 0 }
  expect(layers).toMatchObject([
    { ...layer, title: 'ResNet8' },
    { ...layer, title: 'En2ResNet8' },
  ])
  expect(readFileSync(join(out, 'figure-2.svg'), 'utf8')).toContain('Weights of layer3.0.conv2 of the first member')
})

test('figures 3 and 4 from records, figure 5 from lists of norms', async () => {
  const [sparsity, accuracies, norms] = await Promise.all([valuesOf(3), valuesOf(4), valuesOf(5, rgsm, admm)])
  expect(sparsity).toHaveLength(4)
  expect(sparsity[1]).toMatchObject({ network: 'En2ResNet8', lambda: 0.05, value: 232 / 450 })
  expect(accuracies).toHaveLength(16)
  expect(norms).toEqual([
    { title: 'rgsm', zero: 171, total: 675 },
    { title: 'admm', zero: 30, total: 675 },
  ])
  expect(readFileSync(join(out, 'figure-3.svg'), 'utf8')).toMatch(/seeds: 0.*Example CPU/s)
})

test('networks of one architecture are told apart by their files', async () => {
  const other = join(folder, 'other.pt')
  copyFileSync(plain, other)
  const panels = await valuesOf(5, plain, other, ensemble, admm)
  expect(panels.map(({ title }) => title)).toEqual(['ResNet8, plain.pt', 'ResNet8, other.pt', 'En2ResNet8', 'admm'])
})

test('inspect --norms and inspect --report', async () => {
  const [list, net] = await Promise.all([
    run(['inspect', '--norms', admm, '--report', join(folder, 'list'), '--json']),
    run(['inspect', plain, '--report', join(folder, 'net'), '--json']),
  ])
  expect(json(list)).toMatchObject({ zeroChannels: 30, inputChannels: 675, inputChannelSparsity: 30 / 675 })
  expect(readFileSync(join(folder, 'list', 'report.html'), 'utf8')).toContain('30 of 675')
  const { report } = json(net)
  expect(readFileSync(report as string, 'utf8')).toMatch(/ResNet8.*layer3\.0\.downsample/s)
})

test.each([
  [1, [], 'Expected finished runs of NT and AT of one network, preset smoke, found'],
  [1, [plain], 'Expected two run folders or checkpoints, got 1'],
  [5, [rgsm, admm, '--labels', 'RGSM'], 'Expected `--labels` to name each of the 2 sources, got 1'],
  [6, [], 'sparsity-meets-robustness/figure-5, got `sparsity-meets-robustness/figure-6`'],
  [3, ['--preset', 'quick'], 'two values of lambda1 (AT counts as 0), preset quick'],
  [3, ['--data', 'imagenet'], 'Expected `--data` to be one of fashion_mnist_subset'],
  [5, [join(folder, 'none.txt')], 'Expected a run folder, a checkpoint or a list of norms at'],
])('figure %i of %j is refused in one sentence', async (number, args, sentence) => {
  const { code, stderr } = await figure(number, ...args)
  expect(code).toBe(1)
  expect(stderr).toContain(sentence)
})
