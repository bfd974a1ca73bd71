/** Every block of docs/write-your-own.md is type-checked and run, the Python ones as files of the worker's folders. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ts from 'typescript'
import { findPython } from '../../setup/environment'
import type { Session } from '../../ts/index'
import { useWorker } from '../support/worker'
import { blocksOf, page, root } from './blocks'
import { complaintsAbout } from './typecheck'

// jest's own require, which knows TypeScript.
const tools: (path: string) => unknown = require

const worker = useWorker()
const blocks = blocksOf(page('write-your-own.md'))
const typescript = blocks.filter(({ language }) => language === 'ts')

/** The code under a heading. */
function codeUnder(heading: string): string {
  const found = blocks.filter((block) => block.heading === heading)
  expect(found).toHaveLength(1)
  return found[0]!.code
}

/** Runs the function `example` of the block under a heading. */
async function example(heading: string): Promise<unknown> {
  const { outputText } = ts.transpileModule(codeUnder(heading), {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS },
  })
  const load = (name: string): unknown =>
    tools(join(root, 'ts', name.replace(/^feynkac$/, 'index').replace(/^feynkac\//, '')))
  const module = { exports: {} as { example(session: Session): unknown } }
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the block is a CommonJS module now
  const run = new Function('require', 'exports', outputText) as (load: unknown, exports: object) => void
  run(load, module.exports)
  return await module.exports.example(worker())
}

test('the blocks are of the right types, and the check sees a wrong one', () => {
  const names = typescript.map(({ heading }) => `example_${heading.toLowerCase().replace(/ /g, '_')}.ts`)
  expect(names).toHaveLength(5)
  const blocksByName = Object.fromEntries(names.map((name, i) => [name, typescript[i]!.code]))
  const wrong = "import { pgd } from 'feynkac'\npgd({ stepSize: '0.1', iterations: 1 })\n"
  expect(complaintsAbout({ ...blocksByName, 'wrong.ts': wrong })).toEqual([
    "wrong.ts: Type 'string' is not assignable to type 'number'.",
  ])
})

test('the attack moves pixels up to epsilon and not beyond', async () => {
  expect(await example('An attack')).toBeCloseTo(0.1, 6)
})

test('the penalty shrinks towards zero', async () => {
  expect(await example('A penalty')).toEqual([-1, 0, 0, 2])
})

test('the splitting method pulls the weights half of the way', async () => {
  // u starts as [0, 2]: the prox of l0 keeps what is above 1. w = [0.5, 2] - 0.5 ([0.5, 2] - u).
  expect(await example('A splitting method')).toEqual([0.25, 2])
})

test('the loss is the cross-entropy alone without a perturbation', async () => {
  expect(await example('A loss')).toBeCloseTo(Math.log(10), 5)
})

test('the table says what is missing', async () => {
  expect(await example('A table')).toContain('missing')
})

test('the network and the data set register themselves', () => {
  const folder = mkdtempSync(join(tmpdir(), 'feynkac-docs-'))
  try {
    writeFileSync(join(folder, 'tiny.py'), codeUnder('A network'))
    writeFileSync(join(folder, 'stripes.py'), codeUnder('A data set'))
    const script = [
      'import sys, torch, feynkac_worker.models as models, feynkac_worker.data as data',
      'models.__path__.append(sys.argv[1]); data.__path__.append(sys.argv[1])',
      'net = models.build("tiny4", {"classes": 3})',
      'from feynkac_worker.models.description import describe',
      'loaded = data.dataset("stripes").load(None, "test")',
      'print(list(net(torch.rand(2, 1, 8, 8)).shape), describe(net)["architecture"], describe(net)["options"])',
      'print("stripes" in data.names(), list(loaded.images.shape), loaded.labels.tolist(), loaded.description["classes"])',
    ].join('\n')
    const env = { ...process.env, PYTHONPATH: join(root, 'py'), PYTHONDONTWRITEBYTECODE: '1' }
    const output = execFileSync(findPython().python, ['-c', script, folder], { env, encoding: 'utf8' })
    expect(output.trim().split('\n')).toEqual([
      "[2, 3] Tiny4 {'channels': 1, 'classes': 3}",
      'True [4, 1, 8, 8] [0, 1, 0, 1] 2',
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
