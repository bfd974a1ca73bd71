/** `feynkac data`: the survey, and a download that breaks off, goes on, and is refused for its checksum. */
import { createServer } from 'node:http'
import { existsSync, statSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json, run, start, temporaryFolder, until } from './command_line'

const folder = temporaryFolder()
const SIZE = 9_912_422 // of train-images-idx3-ubyte.gz, the first file of MNIST
const CUT = 4_000_000
const asked: (string | undefined)[] = []

/** A server with zeros in place of MNIST; its first answer breaks off, and it is not there for the second attempt. */
const server = createServer((request, response) => {
  if (request.url?.startsWith('/stalls/')) {
    return void response.writeHead(200, { 'content-length': SIZE }).write(Buffer.alloc(CUT))
  }
  asked.push(request.headers.range)
  if (asked.length === 2) return void response.writeHead(503).end()
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  response.writeHead(start > 0 ? 206 : 200, {
    'content-length': SIZE - start,
    ...(start > 0 && { 'content-range': `bytes ${start}-${SIZE - 1}/${SIZE}` }),
  })
  if (asked.length > 1) return void response.end(Buffer.alloc(SIZE - start))
  response.write(Buffer.alloc(CUT), () => response.socket?.end())
})

const env = { no_proxy: '*' }
let mirror = ''

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

/** The lines on standard error, without those of a set-up that this run happened to start. */
const linesOf = (stderr: string): string[] =>
  stderr.split('\n').filter((line) => line !== '' && !line.startsWith('feynkac set-up:'))

test('the survey names every data set and what was found', async () => {
  const { dataSets } = json(await run(['data', '--json'])) as { dataSets: { name: string; splits: object[] }[] }
  expect(dataSets.map(({ name }) => name)).toEqual(expect.arrayContaining(['cifar10', 'image_folder', 'svhn']))
  expect(dataSets.find(({ name }) => name === 'fashion_mnist_subset')?.splits[1]).toMatchObject({
    split: 'test',
    n: 1000,
    shape: [1, 28, 28],
    official: true,
  })
  const { stdout, code } = await run(['data', '--root', folder])
  expect(stdout).toMatch(/^fashion_mnist_subset +Fashion-MNIST subset \(6,000\/1,000\): train 6000, test 1000$/m)
  expect(stdout).toContain(`SVHN: not in ${folder} (--download brings 246 MB)`)
  expect(code).toBe(0)
})

test('an absent data set is one sentence a split, and a non-zero exit code', async () => {
  const { stdout, code } = await run(['data', 'svhn', '--root', folder])
  const path = join(folder, 'test_32x32.mat')
  expect(stdout).toContain(`test: Expected the file \`${path}\`, got no such file\n`)
  expect(code).toBe(1)
})

test('a download that broke off goes on, and a wrong checksum is refused', async () => {
  const args = ['data', 'mnist', '--download', '--root', folder, '--mirror', mirror]
  const part = join(folder, 'MNIST/raw/train-images-idx3-ubyte.gz.part')
  const first = await run(args, env)
  expect(first.stderr).toContain(`HTTP 503 Service Unavailable; ${CUT} bytes are kept, run the command again to go on`)
  expect([first.code, statSync(part).size]).toEqual([1, CUT])
  const second = await run(args, env)
  expect(second.stderr).toMatch(/^train-images-idx3-ubyte\.gz: done in .* 9\.9 MB$/m)
  expect(second.stderr).toMatch(
    /^feynkac: Expected to download .* a file with the SHA-256 [0-9a-f]{64}, expected 440f/m,
  )
  expect([second.code, existsSync(part)]).toEqual([1, false])
  expect(asked).toEqual([undefined, `bytes=${CUT}-`, `bytes=${CUT}-`])
})

test('Ctrl-C ends a download in one sentence and keeps what has arrived', async () => {
  const root = join(folder, 'stopped')
  const part = join(root, 'MNIST/raw/train-images-idx3-ubyte.gz.part')
  const args = ['data', 'mnist', '--download', '--root', root, '--mirror', `${mirror}/stalls`]
  const running = start(args, env)
  const arrived = CUT - (CUT % 2 ** 18)
  await until(running, () => existsSync(part) && statSync(part).size === arrived)
  running.child.kill('SIGINT')
  const { code, stderr } = await running.finished
  expect(linesOf(stderr)).toEqual([
    'feynkac: stopped by SIGINT; what has arrived is kept, run the command again to go on',
  ])
  expect([code, statSync(part).size]).toEqual([1, arrived])
})

test.each([
  [['data', '--download'], 'Expected `feynkac data NAME --download --root DIR`'],
  [['data', 'mnist', '--download', '--root', folder, '--mirror', 'ftp://x'], 'http or https URL of a folder, got `ftp'],
  [['data', 'arrays', '--download', '--root', folder], 'Expected a data set that can be downloaded (cifar10, '],
  [['data', 'imagenet'], 'Expected `name` to be one of arrays, cifar10, '],
])('%j is refused in one sentence', async (args, sentence) => {
  const { stderr, code } = await run(args)
  expect(stderr).toContain(sentence)
  expect(linesOf(stderr)).toHaveLength(1)
  expect(code).toBe(1)
})
