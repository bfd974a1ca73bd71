import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { packageRoot, readPipBlock } from '../../setup/environment'
import { withoutDevelopment } from '../../setup/requirements'

const text = readFileSync(join(packageRoot(), 'environment.yml'), 'utf8')

interface CondaFile {
  name: string
  channels: string[]
  dependencies: (string | { pip: string[] })[]
}

function pipBlockOf(file: CondaFile): string[] | undefined {
  return file.dependencies.find((entry) => typeof entry === 'object')?.pip
}

test('environment.yml has the shape that conda reads', () => {
  const file = parse(text) as CondaFile
  expect(Object.keys(file).sort()).toEqual(['channels', 'dependencies', 'name'])
  expect(file.name).toBe('feynkac')
  expect(file.channels).toEqual(['conda-forge'])
  expect(file.dependencies.slice(0, 2)).toEqual(['python>=3.10', 'pip'])
  expect(file.dependencies).toHaveLength(3)
  for (const entry of pipBlockOf(file) ?? []) expect(entry).toMatch(/^[a-z]+(==|>=)[\d.]+(,<\d[\d.]*)?$/)
})

test('the reader without dependencies agrees with a YAML parser', () => {
  expect(readPipBlock(text, { development: true })).toEqual(pipBlockOf(parse(text) as CondaFile))
})

test('an installed package does without the development tools', () => {
  const runtime = readPipBlock(text, { development: false })
  expect(runtime.map((line) => line.replace(/[=<>].*/, ''))).toEqual([
    'torch',
    'numpy',
    'pyzmq',
    'msgpack',
    'safetensors',
    'pillow',
  ])
  expect(pipBlockOf(parse(withoutDevelopment(text)) as CondaFile)).toEqual(runtime)
})

test('quotes, comments, blank lines and what follows the block are understood', () => {
  const block = 'dependencies:\n  - pip: # by pip\n    - "a==1"\n\n    # why b\n    - b>=2 # note\n  - other\n'
  expect(readPipBlock(block, { development: true })).toEqual(['a==1', 'b>=2'])
})

test.each([
  ['name: x\n', /Expected environment.yml to have a `- pip:` block/],
  ['dependencies:\n  - pip:\n', /to list packages, found none/],
  ['dependencies:\n  - pip:\n    torch\n', /Expected a line like `- name==1.0` .* got `torch`/],
])('refuses %j', (block, message) => {
  expect(() => readPipBlock(block, { development: true })).toThrow(message)
})
