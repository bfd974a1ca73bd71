/**
 * Plans of removal for Torch-Pruning (torch_pruning_removal.py): `PEER_PYTHON=peer/bin/python npx ts-node -T benchmarks/peers/torch_pruning_removal.ts`.
 * Without noise and without selections, since DepGraph knows neither.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../bridge/root'
import { compact, connect } from '../../ts/index'
import { zeroHalf } from '../speed/compaction'

const NETWORKS = [
  ['resnet20', { noise: 0 }],
  ['enresnet20', { members: 2, noise: 0 }],
  ['enresnet20', { members: 5, noise: 0 }],
] as const

async function main(): Promise<void> {
  const python = process.env['PEER_PYTHON']
  if (python === undefined) throw new Error('Expected PEER_PYTHON to name a Python with torch-pruning, got nothing')
  await using session = await connect({ device: 'cpu', threads: 1 })
  const folder = mkdtempSync(join(tmpdir(), 'feynkac-peer-'))
  const plans: object[] = []
  for (const [name, options] of NETWORKS) {
    const model = await session.model(name, { ...options, seed: 1 })
    zeroHalf(session, model)
    const weights = join(folder, `${plans.length}.safetensors`)
    await model.save(weights, { format: 'safetensors' })
    const { widths } = await compact({ session, model, size: [3, 32, 32], least: 1 })
    plans.push({ name, options, widths, weights, size: [3, 32, 32] })
  }
  const input = plans.map((plan) => JSON.stringify(plan)).join('\n')
  const env = { ...process.env, PYTHONPATH: join(packageRoot(), 'py') }
  const { status } = spawnSync(python, [join(packageRoot(), 'benchmarks/peers/torch_pruning_removal.py')], {
    ...{ input, env },
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  rmSync(folder, { recursive: true })
  process.exitCode = status ?? 1
}

void main()
