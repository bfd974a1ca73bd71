/**
 * Our `cw` beside foolbox's L2CarliniWagnerAttack: the same trained network, images, weights, steps and learning rate, no early stop.
 *   FOOLBOX_PYTHON=~/foolbox/bin/python npx ts-node -T benchmarks/peers/cw_foolbox.ts [images] [iterations]
 * How to get that environment is told in cw_foolbox.py. Prints one JSON line, which benchmarks/results/cw-foolbox.json records.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageVersion } from '../../bridge/root'
import { packageRoot } from '../../setup/environment'
import cw from '../../ts/attacks/cw'
import { grad, use } from '../../ts/tensor/functions'
import { int, plan } from '../../ts/tensor/plan'
import { type DeviceTensor, type Model, type Session, connect } from '../../ts/tensor/session'
import type { Tensor } from '../../ts/tensor/tensor'
import linf from '../../ts/threats/linf'
import { craft } from '../../ts/threats/shared/craft'

const NETWORK = { name: 'resnet8', options: { width: 4, channels: 1, stem_stride: 2 } }
const ATTACK = { c: 1e-3, searches: 9, lr: 0.01 }
/** Median l2 over foolbox's, at 100 % success of both. */
const PASS = 1.02

/** A success in float32 may be a failure in float64 by this many logits at most. */
const TOLERANCE = 1e-4

interface Judged {
  readonly distances: readonly number[]
  readonly margins: readonly number[]
}

interface Answer {
  readonly ours: Judged
  readonly theirs: Judged
  readonly versions: Readonly<Record<string, string>>
}

/** Trains for two epochs: enough for most images to be right. */
async function trainedNetwork(session: Session): Promise<Model> {
  const data = await session.data('fashion_mnist_subset', { split: 'train' })
  const net = await session.model(NETWORK.name, { ...NETWORK.options, seed: 1 })
  const optimizer = session.sgd(net.parameters(), { momentum: 0.9 })
  const step = plan('step', (start: Tensor) => {
    const logits = net.call(use(data.images).narrow(0, start, 64), { mode: 'train' })
    const loss = logits.crossEntropy(use(data.labels).narrow(0, start, 64))
    optimizer.step(grad(loss, net.parameters()), 0.05)
  })
  for (let batch = 0; batch < 186; batch++) step(int(64 * (batch % 93)))
  return net
}

/** The first `n` test images that the network gives their label. */
async function rightImages(
  session: Session,
  net: Model,
  n: number,
): Promise<{ images: DeviceTensor; labels: DeviceTensor }> {
  const data = await session.data('fashion_mnist_subset', { split: 'test' })
  const right = plan('right', () => {
    const logits = net.call(use(data.images), { mode: 'eval' })
    return logits.argmax({ dim: 1 }).eq(use(data.labels)).to('int64')
  })
  const indices = Array.from((await right().read()).data, Number).flatMap((hit, i) => (hit === 1 ? [BigInt(i)] : []))
  if (indices.length < n)
    throw new RangeError(`Expected at most ${indices.length} images, those that are right, got ${n}`)
  const chosen = session.put(BigInt64Array.from(indices.slice(0, n)))
  return plan('choose', () => ({
    images: use(data.images).indexSelect(0, use(chosen)),
    labels: use(data.labels).indexSelect(0, use(chosen)),
  }))()
}

const bytes = async (tensor: DeviceTensor): Promise<Uint8Array> => {
  const { data } = await tensor.read()
  if (!ArrayBuffer.isView(data)) throw new TypeError('Expected numbers in a typed array')
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const success = ({ margins }: Judged): number => margins.filter((margin) => margin > -TOLERANCE).length / margins.length
/** The median distance; where the attack failed it counts as infinite. */
const medianOf = ({ distances, margins }: Judged): number =>
  median(distances.map((far, i) => (margins[i]! > -TOLERANCE ? far : Infinity)))

function compare({ ours, theirs }: Answer) {
  const ratio = medianOf(ours) / medianOf(theirs)
  const successes = { ours: success(ours), foolbox: success(theirs), tolerance: TOLERANCE }
  return {
    medianL2: { ours: medianOf(ours), foolbox: medianOf(theirs), ratio, atMost: PASS },
    success: successes,
    smallestMargin: { ours: Math.min(...ours.margins), foolbox: Math.min(...theirs.margins) },
    passes: successes.ours === 1 && successes.foolbox === 1 && ratio <= PASS,
  }
}

async function main(): Promise<void> {
  const python = process.env['FOOLBOX_PYTHON']
  if (python === undefined)
    throw new Error(
      'Expected FOOLBOX_PYTHON to name a Python with foolbox (benchmarks/peers/cw_foolbox.py), got nothing',
    )
  const [n = 50, iterations = 1000] = process.argv.slice(2).map(Number)
  const folder = mkdtempSync(join(tmpdir(), 'feynkac-cw-'))
  try {
    await using session = await connect({ device: 'cpu', threads: 1 })
    const net = await trainedNetwork(session)
    const { images, labels } = await rightImages(session, net, n)
    const generator = session.generator(0)
    const network = (x: Tensor): Tensor => net.call(x, { mode: 'eval' })
    const attacked = plan('cw', () =>
      craft({
        attack: cw({ ...ATTACK, iterations }),
        threat: linf({ epsilon: 1 }), // not looked at: the attack is unconstrained
        network,
        clean: use(images),
        y: use(labels),
        generator,
      }),
    )
    const ours = attacked()

    const path = (name: string): string => join(folder, name)
    writeFileSync(path('images'), await bytes(images))
    writeFileSync(path('labels'), await bytes(labels))
    writeFileSync(path('ours'), await bytes(ours))
    await net.save(path('net.pt'), { format: 'pt' })
    const request = {
      ...{
        network: NETWORK.name,
        options: NETWORK.options,
        weights: path('net.pt'),
        shape: [n, 1, 28, 28],
        threads: 1,
      },
      ...{ images: path('images'), labels: path('labels'), ours: path('ours'), ...ATTACK, iterations },
    }
    const output = execFileSync(python, [join(packageRoot(), 'benchmarks', 'peers', 'cw_foolbox.py')], {
      input: `${JSON.stringify(request)}\n`,
      env: { ...process.env, PYTHONPATH: join(packageRoot(), 'py') },
      encoding: 'utf8',
    })
    const answer = JSON.parse(output.trim().split('\n').at(-1)!) as Answer
    const result = {
      ...compare(answer),
      ...{ n, network: NETWORK, data: 'fashion_mnist_subset', attack: { ...ATTACK, iterations } },
      versions: { feynkac: packageVersion(), node: process.version, ...answer.versions },
    }
    process.stdout.write(`${JSON.stringify(result)}\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
