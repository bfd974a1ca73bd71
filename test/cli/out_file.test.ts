/** What `--out` says and refuses. */
import { join } from 'node:path'
import { checkNetworkOut, checkOut, formatOf } from '../../ts/cli/out_file'

test('the format is the one asked for, else that of the name', () => {
  expect(['a.pt', 'a.pth', 'a.safetensors', 'pt', undefined].map((out) => formatOf(out))).toEqual([
    ...['pt', 'pt', 'safetensors', 'safetensors', 'safetensors'],
  ])
  expect(formatOf('a.pt', 'safetensors')).toBe('safetensors')
  expect(formatOf('a.safetensors', 'pt')).toBe('pt')
})

test('a folder that is not there, and a folder in place of a file', () => {
  const out = join(__dirname, 'none', 'a.pt')
  expect(() => checkOut({ out })).toThrow(`Expected \`--out\` to be in a folder that exists, got \`${out}\``)
  expect(() => checkOut({ out: join(__filename, 'a.pt') })).toThrow('to be in a folder that exists')
  expect(() => checkOut({ out: __dirname })).toThrow(`Expected \`--out\` to be a file, got the folder \`${__dirname}\``)
  expect(() => checkOut({ out, worker: 'tcp://localhost:5555' })).not.toThrow()
  expect(() => checkOut({ out: join(__dirname, 'a.pt') })).not.toThrow()
  expect(() => checkOut({})).not.toThrow()
})

test('a network needs a name or a format that says what is written', () => {
  const out = join(__dirname, 'a.foo')
  expect(() => checkNetworkOut({ out })).toThrow(
    `Expected \`--out\` to end in .safetensors, .pt or .pth, or a \`--format\`, got \`${out}\``,
  )
  expect(() => checkNetworkOut({ out, format: 'pt' })).not.toThrow()
  for (const name of ['a.pt', 'a.pth', 'a.safetensors'])
    expect(() => checkNetworkOut({ out: join(__dirname, name) })).not.toThrow()
})
