/** The example of docs/compaction.md in plain PyTorch gives the logits of the worker. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPython } from '../../setup/environment'
import { compact } from '../../ts/compaction/compact'
import { use } from '../../ts/tensor/functions'
import { plan } from '../../ts/tensor/plan'
import { zeroChannels } from '../compaction/prune'
import { numbers, useWorker } from '../support/worker'
import { blocksOf, page, root } from './blocks'

const worker = useWorker()
const folder = mkdtempSync(join(tmpdir(), 'feynkac-docs-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('the page loads a compact file in plain PyTorch', async () => {
  const session = worker()
  const model = await session.model('enresnet8', { width: 4, members: 2, seed: 1 })
  zeroChannels(session, model, 1)
  const { model: small } = await compact({ session, model, size: [3, 8, 8] })
  await small.save(join(folder, 'small.safetensors'), { format: 'safetensors' })
  const x = session.put(
    Float32Array.from({ length: 2 * 3 * 64 }, (_, i) => (i % 17) / 17),
    [2, 3, 8, 8],
  )
  const logits = plan('logits', () => small.call(use(x), { mode: 'eval', noise: false }), { session })()

  for (const name of ['enresnet.py', 'narrow.py'])
    copyFileSync(join(root, 'py/feynkac_worker/models', name), join(folder, name))
  const code = blocksOf(page('compaction.md')).find(({ language }) => language === 'python')!.code
  const tail = [
    'import torch',
    'x = (torch.arange(2 * 3 * 64) % 17 / 17).reshape(2, 3, 8, 8)',
    'with torch.no_grad():',
    '    print(json.dumps(net.eval()(x, noise=False).flatten().tolist()))',
  ]
  writeFileSync(join(folder, 'example.py'), [code, ...tail].join('\n'))
  const output = execFileSync(findPython().python, ['example.py'], { cwd: folder, encoding: 'utf8' })
  const found = JSON.parse(output) as number[]
  const expected = await numbers(logits)
  expect(found).toHaveLength(20)
  found.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5))
})
