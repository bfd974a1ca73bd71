/** The JSON that other programs rely on, and what the command line says when something is wrong. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { assign, use } from '../../ts/tensor/functions'
import { plan } from '../../ts/tensor/plan'
import { connect } from '../../ts/tensor/session'
import { json, run, temporaryFolder } from './command_line'
import { takeLock } from '../../ts/records/lock'

const folder = temporaryFolder()
const runs = join(folder, 'runs')
const net = join(folder, 'net.safetensors')
const small = [
  '--network',
  'enresnet8',
  '--members',
  '2',
  '--noise',
  '0.1',
  '--width',
  '4',
  '--images',
  '128',
  '--epochs',
  '2',
  '--threads',
  '1',
]

beforeAll(async () => {
  const args = ['train', ...small, '--method', 'rgsm', '--lambda', '0.9', '--runs', runs, '--out', net, '--json']
  const trained = json(await run(args))
  expect(trained).toMatchObject({
    network: 'En2ResNet8',
    method: 'RGSM',
    epochs: 2,
    n: 128,
    seed: 0,
    threads: 1,
    model: net,
  })
  expect(trained['inputChannelSparsity']).toBeGreaterThan(0)
})

test('train begins with a checkpoint and is told a share of channels', async () => {
  const args = [
    'train',
    '--from',
    net,
    ...['--target-channels', '60%'],
    ...small.slice(8),
    '--epochs',
    '1',
    '--runs',
    runs,
  ]
  const trained = json(await run([...args, '--json']))
  expect(trained).toMatchObject({ network: 'En2ResNet8', method: 'RGSM', epochs: 1, targetChannelSparsity: 0.6 })
  // floor(0.6 * 114) channels
  expect(trained['inputChannelSparsity']).toBe(68 / 114)
  const sha256 = createHash('sha256').update(readFileSync(net)).digest('hex')
  expect(trained['initial']).toEqual({ sha256, file: net })
})

test('inspect', async () => {
  const found = json(await run(['inspect', net, '--json']))
  expect(Object.keys(found).sort()).toEqual(
    [
      ...['architecture', 'members', 'parameters', 'convWeights', 'inputChannels', 'inputChannelsWithoutDownsample'],
      ...['inputChannelSparsity', 'inputChannelSparsityWithoutDownsample', 'weightSparsity', 'size', 'cost'],
    ].sort(),
  )
  expect(found).toMatchObject({
    architecture: 'En2ResNet8',
    members: 2,
    inputChannels: 114,
    inputChannelsWithoutDownsample: 90,
  })
  expect(found['inputChannelSparsity']).toBeGreaterThan(0)
  expect(found['inputChannelSparsity']).toBeLessThanOrEqual(1)
  expect(found['size']).toEqual([1, 28, 28])
  const { parameters, bytes, nonZeroBytes } = found['cost'] as Record<string, number>
  expect([parameters, bytes]).toEqual([found['parameters'], 4 * parameters!])
  expect(nonZeroBytes).toBeLessThan(bytes!)
})

test('inspect at a size of your own, with the time of a pass', async () => {
  const args = ['inspect', net, '--size', '1,14,14', '--latency', '--batch', '2']
  const { size, cost, latency } = json(await run([...args, '--json']))
  expect(size).toEqual([1, 14, 14])
  expect(latency).toMatchObject({ batch: 2, threads: 1, device: 'cpu', n: 21 })
  expect((cost as Record<string, number>)['multiplyAdds']).toBeGreaterThan(0)
})

test('export says that the noise is off, and writes the file', async () => {
  const file = join(folder, 'net.onnx')
  const shown = await run(['export', net, '--out', file])
  expect(shown.stdout).toMatch(
    /images float32 \[any, 1, 28, 28\], pixels in \[0, 1\]\n[^]*noise {2}off: .* coefficient 0\.1/,
  )
  expect(readFileSync(file).length).toBeGreaterThan(10_000)
})

test('compact: a smaller file with the same logits, which the other commands read', async () => {
  const small = join(folder, 'small.safetensors')
  const args = ['compact', net, '--data', 'fashion_mnist_subset', '--images', '50', '--least', '0']
  const found = json(await run([...args, '--out', small, '--json']))
  expect(found).toMatchObject({
    architecture: 'En2ResNet8',
    agreement: [
      { noise: true, agree: true, images: 50 },
      { noise: false, agree: true, images: 50 },
    ],
    out: small,
  })
  const { before, after } = found['parameters'] as { before: number; after: number }
  expect(after).toBeLessThan(before)
  expect(json(await run(['inspect', small, '--json']))).toMatchObject({ parameters: after })

  const told = await run(['compact', net, '--groups'])
  expect(told.stdout).toContain('  made by  ensemble.0.conv1, ensemble.0.layer1.0.conv2\n')
  expect(told.stdout).toContain('not written: `--out` names a file')
  expect(told.stdout.match(/^parameters /gm)).toHaveLength(1)
  const same = await run(['compact', net, '--out', net])
  expect(same.code).toBe(1)
  expect(same.stderr).toContain('to be another file than the checkpoint')
})

test('attack: counts, fractions and conditions; the same seed gives the same numbers', async () => {
  const args = [
    'attack',
    net,
    '--data',
    'fashion_mnist_subset',
    '--attacks',
    'fgsm,ifgsm20',
    '--limit',
    '100',
    '--threads',
    '1',
    '--json',
  ]
  const [first, second] = [json(await run(args)), json(await run(args))]
  expect(first).toEqual(second)
  expect(first).toMatchObject({
    n: 100,
    seed: 0,
    device: 'cpu',
    epsilon: { value: 0.1, notation: '0.1' },
    data: { name: 'fashion_mnist_subset' },
  })
  expect(Object.keys(first['attacks'] as object)).toEqual(['fgsm', 'ifgsm20'])
  for (const { robust, correct, n } of Object.values(
    first['attacks'] as Record<string, { robust: number; correct: number; n: number }>,
  )) {
    expect(robust).toBe(correct / n)
    expect(n).toBe(100)
  }
  expect(first['versions']).toHaveProperty('torch')
})

test('attack without epsilon does not change a prediction', async () => {
  const args = [
    'attack',
    net,
    '--data',
    'fashion_mnist_subset',
    '--limit',
    '200',
    '--no-noise',
    '--epsilon',
    '0',
    '--attacks',
    'fgsm,ifgsm20',
    '--json',
  ]
  const { natural, attacks } = json(await run(args)) as { natural: number; attacks: Record<string, { robust: number }> }
  expect(attacks['fgsm']!.robust).toBe(natural)
  expect(attacks['ifgsm20']!.robust).toBe(natural)
})

test('attack with restarts and with a bound on the distance', async () => {
  const args = [
    'attack',
    net,
    '--data',
    'fashion_mnist_subset',
    '--limit',
    '20',
    '--no-noise',
    '--threads',
    '1',
    '--json',
  ]
  const cw = (bound: string, searches: string, iterations: string): string[] => [
    ...['--l2-bound', bound, '--cw-searches', searches, '--cw-iterations', iterations],
  ]
  const [near, far, wide] = await Promise.all([
    run([...args, '--attacks', 'pgd20,cw', '--restarts', '2', ...cw('0', '2', '5')]),
    run([...args, '--attacks', 'pgd20', '--restarts', '3']),
    run([...args, '--attacks', 'cw', ...cw('1e9', '6', '40')]),
  ])
  type Found = { natural: number; attacks: Record<string, { robust: number }> }
  const found = json(near) as unknown as Found
  expect(found).toMatchObject({ restarts: 2, cw: { l2Bound: 0, searches: 2, iterations: 5 } })
  expect(found.attacks['cw']!.robust).toBe(found.natural)
  expect(found.attacks['pgd20']!.robust).toBeLessThanOrEqual(found.natural)
  expect((json(far) as unknown as Found).attacks['pgd20']!.robust).toBeLessThanOrEqual(found.attacks['pgd20']!.robust)
  const unbounded = json(wide) as unknown as Found
  expect(unbounded).not.toHaveProperty('restarts')
  expect(unbounded.attacks['cw']!.robust).toBeLessThan(unbounded.natural)
})

test.each([
  [['--attacks', 'fgsm', '--restarts', '2'], 'Expected `--restarts` with pgd20, which starts at random, got fgsm'],
  [['--attacks', 'cw'], 'Expected `--l2-bound` with the attack cw, such as 0.5 for CIFAR-10, got nothing'],
  [['--cw-iterations', '5'], 'Expected `--cw-iterations` with the attack cw, got fgsm, ifgsm20, cw_paper'],
])('attack %j is refused before a worker starts', async (args, sentence) => {
  const { code, stderr } = await run(['attack', net, ...args])
  expect(code).toBe(1)
  expect(stderr).toContain(sentence)
})

test('table: missing rows say so', async () => {
  const found = json(
    await run(['table', 'sparsity-meets-robustness/table-2', '--runs', join(folder, 'none'), '--json']),
  )
  expect(found).toMatchObject({ table: 'sparsity-meets-robustness/table-2', preset: 'smoke', reportPath: null })
  expect(found['rows']).toHaveLength(4)
  expect(found['missing']).toHaveLength(4)
})

test('doctor: every check has a state, and gaps have a repair', async () => {
  const { checks } = json(await run(['doctor', '--json'])) as {
    checks: { name: string; state: string; repair: string | null }[]
  }
  expect(checks.map(({ name }) => name)).toEqual(expect.arrayContaining(['Node.js', 'Python', 'torch', 'pyzmq']))
  for (const { state, repair } of checks) if (state !== 'ok') expect(repair).toMatch(/\S/)
})

test('every command has an example in its help', async () => {
  const { stdout } = await run(['--help'])
  const commands = [...stdout.matchAll(/^ {2}(\w+)(?: |$)/gm)]
    .map((match) => match[1]!)
    .filter((name) => name !== 'help')
  expect(commands).toEqual(
    expect.arrayContaining(['reproduce', 'train', 'attack', 'inspect', 'table', 'doctor', 'bench', 'clean']),
  )
  for (const name of commands.filter((command) => command !== 'bench')) {
    const help = await run([name, '--help'])
    expect(help.code).toBe(0)
    expect(help.stdout).toMatch(/Examples?:\n {2}npx feynkac/)
  }
})

test('clean removes unfinished runs, and finished ones only with --all', async () => {
  const target = join(folder, 'clean')
  const train = ['train', ...small, '--epochs', '1', '--runs', target, '--json']
  json(await run(train))
  const unfinished = join(target, 'train', '0123456789abcdef')
  mkdirSync(unfinished)
  writeFileSync(join(unfinished, 'config.json'), '{}')
  expect(json(await run(['clean', '--runs', target, '--dry-run', '--json']))).toEqual({
    removed: [unfinished],
    locked: [],
    dryRun: true,
  })
  expect(existsSync(unfinished)).toBe(true)
  // One that a process works in, this one, stays; the others go all the same.
  const busy = join(target, 'train', 'fedcba9876543210')
  mkdirSync(busy)
  writeFileSync(join(busy, 'config.json'), '{}')
  const release = takeLock(busy)
  const cleaned = await run(['clean', '--runs', target, '--json'])
  release()
  expect(cleaned.code).toBe(1)
  expect(cleaned.stderr).toMatch(/^left .*fedcba9876543210: /)
  expect(JSON.parse(cleaned.stdout)).toEqual({ removed: [unfinished], locked: [busy], dryRun: false })
  expect(json(await run(['clean', '--runs', target, '--json']))).toMatchObject({ removed: [busy], locked: [] })
  expect(readdirSync(join(target, 'train'))).toHaveLength(1)
  json(await run(['clean', '--runs', target, '--all', '--json']))
  expect(readdirSync(join(target, 'train'))).toHaveLength(0)
})

describe('bad input ends in one sentence and exit code 1', () => {
  const sentence = async (...args: string[]): Promise<string> => {
    const { code, stderr, stdout } = await run(args)
    expect(code).toBe(1)
    expect(stdout).toBe('')
    const lines = stderr.trim().split('\n')
    expect(lines.at(-1)).not.toMatch(/^\s+at /)
    return stderr
  }

  test('no such checkpoint', async () => {
    expect(await sentence('inspect', join(folder, 'none.pt'))).toMatch(/Expected .*none\.pt.*/)
  })

  test('a truncated checkpoint', async () => {
    const cut = join(folder, 'cut.safetensors')
    writeFileSync(cut, readFileSync(net))
    truncateSync(cut, 1000)
    expect(await sentence('inspect', cut)).toMatch(/Expected `.*cut\.safetensors` to be/)
  })

  test('unknown names list the known ones', async () => {
    expect(await sentence('attack', net, '--data', 'imagenet')).toMatch(/fashion_mnist_subset/)
    expect(await sentence('attack', net, '--attacks', 'apgd')).toMatch(/fgsm, ifgsm20, cw_paper/)
    expect(await sentence('reproduce', '--only', 'VGG', '--runs', runs)).toMatch(
      /`--only` to begin the name of a row \(`ResNet8 AT`/,
    )
    expect(await sentence('reproduce', 'table-9', '--runs', runs)).toMatch(/sparsity-meets-robustness\/table-2/)
    expect(await sentence('train', '--network', 'vgg', '--runs', runs)).toMatch(/resnet20/)
    expect(await sentence('reproduce', '--preset', 'huge')).toMatch(/smoke, quick, quick_fashion, paper, paper_text/)
  })

  test('no data where they should be', async () => {
    expect(await sentence('attack', net, '--data', 'cifar10', '--data-root', folder)).toMatch(
      /Expected `.*` .* to hold/,
    )
  })

  test('images that do not fit the network', async () => {
    const said = await sentence('train', ...small, '--channels', '3', '--runs', join(folder, 'rgb'))
    expect(said).toContain(
      'Expected `--channels` to be 1, as the images of fashion_mnist_subset have, got a network of 3',
    )
  })

  test('a Python that is not there', async () => {
    const { code, stderr } = await run(['inspect', net], { FEYNKAC_PYTHON: join(folder, 'python') })
    expect(code).toBe(1)
    expect(stderr).toMatch(/FEYNKAC_PYTHON/)
  })

  test('a runs folder that cannot be written', async () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    expect(await sentence('train', ...small, '--runs', join(file, 'runs'))).toMatch(/file/)
    rmSync(file)
  })
})

test.each([['train'], ['compact', net], ['export', net]])(
  '%s refuses an `--out` that cannot be written before anything runs',
  async (...args) => {
    const out = join(folder, 'none', 'x.pt')
    const { code, stdout, stderr } = await run([...args, '--out', out])
    expect([code, stdout, stderr]).toEqual([
      1,
      '',
      `feynkac: Expected \`--out\` to be in a folder that exists, got \`${out}\`\n`,
    ])
  },
)

describe('--model file.py:factory', () => {
  const factory = join(__dirname, '..', 'support', 'small_net.py') + ':make'

  test('inspect and attack a network of the user', async () => {
    const source = ['--model', factory, '--model-options', '{"width": 2}', '--allow-code', '--json']
    const [found, attacked] = await Promise.all([
      run(['inspect', ...source]),
      run([
        'attack',
        ...source,
        '--data',
        'fashion_mnist_subset',
        '--attacks',
        'fgsm',
        '--limit',
        '20',
        '--threads',
        '1',
      ]),
    ])
    expect(json(found)).toMatchObject({ architecture: 'SmallNet', convWeights: 18, inputChannels: 1 })
    expect(json(attacked)).toMatchObject({ network: 'SmallNet', n: 20, attacks: { fgsm: { n: 20 } } })
  })

  test('weights of a file in a network of the user', async () => {
    const weights = join(folder, 'own.pt')
    {
      await using session = await connect({ device: 'cpu', threads: 1, allowImports: true })
      const model = await session.adopt(factory, { width: 3 })
      const first = model.parameters()[0]!
      plan('clear', () => assign(first, use(first).zerosLike()))()
      await model.save(weights, { format: 'pt' })
    }
    const source = [weights, '--model', factory, '--allow-code', '--json', '--model-options']
    const [found, wrong] = await Promise.all([
      run(['inspect', ...source, '{"width": 3}']),
      run(['inspect', ...source, '{"width": 4}']),
    ])
    expect(json(found)).toMatchObject({ architecture: 'SmallNet', convWeights: 27, weightSparsity: 1 })
    expect(wrong.code).toBe(1)
    expect(wrong.stderr).toContain('with `stem.weight` as float32[4, 1, 3, 3], got float32[3, 1, 3, 3]')
  })

  test('a file that does not tell what it is advises a flag that is there', async () => {
    const weights = join(folder, 'own.pt')
    const unknown = await run(['inspect', weights])
    expect(unknown.stderr).toContain(
      '(pass `name`, `--name` on the command line, to say which network it is, or `model`, `--model`, for one of your own)',
    )
    const [named, renamed] = await Promise.all([
      run(['inspect', weights, '--name', 'resnet8']),
      run(['inspect', net, '--name', 'enresnet8', '--json']),
    ])
    expect(named.stderr).toContain('to hold the weights of ResNet8 with `ensemble.0.conv1.weight`')
    expect(json(renamed)).toMatchObject({ architecture: 'En2ResNet8' })
  })

  test.each([
    [['--model', factory], 'Expected `--allow-code` with `--model'],
    [[net, '--model', factory, '--allow-code', '--name', 'resnet8'], 'Expected `--model` or `--name`, which both say'],
    [[], 'Expected a checkpoint or `--model file.py:factory`, got neither'],
    [[net, '--allow-code'], 'Expected `--allow-code` to come with `--model`, got a checkpoint'],
    [[net, '--layer', 'conv1'], 'Expected `--layer` with `--report`, whose page shows the layer, got none'],
    [['--model', factory, '--model-options', '[1]'], 'Expected a JSON object such as {"width": 16}, got `[1]`'],
  ])('inspect %j is refused before anything runs', async (args, sentence) => {
    const { code, stderr } = await run(['inspect', ...args])
    expect(code).not.toBe(0)
    expect(stderr).toContain(sentence)
  })
})
