/**
 * Training on a real worker: resumed runs end with the same bits, weights are pruned, aborted runs leave whole files.
 */
import { connect, type Dataset } from '../../ts/tensor/session'
import { rgsm, type TrainConfig } from '../../ts/training/config'
import { presets } from '../../ts/training/presets'
import { train, type TrainFolder, type TrainOptions, type TrainResult } from '../../ts/training/train'
import { smokeConfig } from '../support/configs'
import { hash, useFolder } from '../support/run_files'
import { useWorker } from '../support/worker'

const worker = useWorker()
let data: Dataset
const folder = useFolder()
beforeAll(async () => {
  data = await worker().data('fashion_mnist_subset', { split: 'train' })
})

/**
 * A network with noise, so that the generator's state matters; every kind of augmentation; a last batch that is not
 * full.
 */
const tiny: TrainConfig = {
  ...smokeConfig({ members: 2, lambda1: 0.05, seed: 5 }),
  network: {
    name: 'enresnet8',
    options: { members: 1, noise: 0.1, width: 4, stem_stride: 2, channels: 1, classes: 10 },
  },
  epochs: 4,
  batchSize: 24,
  dropLast: false,
  splitting: rgsm({ beta: 1, lambda1: 0.3 }),
  augment: { crop: 2, flip: true },
  // Momentum kept over epochs: it has to survive a stop as well.
  optimiser: { ...presets.smoke.training.optimiser, resetMomentumEachEpoch: false },
  images: 64,
  validation: { count: 40, selection: 'best', attack: { stepSize: 0.05, iterations: 2, randomStart: true } },
}

type Hooks = Pick<TrainOptions, 'signal' | 'onEpoch' | 'onStep'>

async function run(config: TrainConfig, files: TrainFolder, options: Hooks = {}): Promise<TrainResult> {
  const model = await worker().model(config.network.name, { ...config.network.options, seed: config.seed })
  return train({ session: worker(), model, data, config, folder: files, ...options })
}

test('two epochs, a stop and two more end with the bits of four', async () => {
  const [whole, parts] = [folder('whole'), folder('parts')]
  const expected = await run(tiny, whole)
  const stop = new AbortController()
  const reason = new Error('stopped by the test')
  const first = run(tiny, parts, {
    signal: stop.signal,
    onEpoch: ({ epoch }) => void (epoch === 2 && stop.abort(reason)),
  })
  await expect(first).rejects.toBe(reason)
  const result = await run(tiny, parts)
  expect(result).toEqual(expected)
  expect(result.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4])
  expect(hash(parts, 'state.safetensors')).toBe(hash(whole, 'state.safetensors'))
  expect(hash(parts, 'model.safetensors')).toBe(hash(whole, 'model.safetensors'))
})

test('a stop in the middle of an epoch loses only that epoch', async () => {
  const [whole, parts] = [folder('whole'), folder('parts')]
  await run(tiny, whole)
  const stop = new AbortController()
  const onStep = ({ epoch, step }: { epoch: number; step: number }): void => {
    if (epoch === 2 && step === 2) stop.abort()
  }
  await expect(run(tiny, parts, { signal: stop.signal, onStep })).rejects.toThrow()
  expect(parts.logged.map(({ epoch }) => epoch)).toEqual([1])
  await run(tiny, parts)
  expect(hash(parts, 'state.safetensors')).toBe(hash(whole, 'state.safetensors'))
})

test('a finished run is not trained again, and another configuration is refused', async () => {
  const files = folder('done')
  const short = { ...tiny, epochs: 1 }
  const first = await run(short, files)
  const steps: number[] = []
  expect(await run(short, files, { onStep: ({ step }) => steps.push(step) })).toEqual(first)
  expect(steps).toEqual([])
  await expect(run({ ...short, lambda2: 1 }, files)).rejects.toThrow(
    /^Expected .* to hold a run with the same configuration/,
  )
})

test('a worker that is killed in the middle of an epoch costs only that epoch', async () => {
  const [whole, parts] = [folder('whole'), folder('parts')]
  const short = { ...tiny, epochs: 2 }
  await run(short, whole)
  const doomed = await connect({ device: 'cpu', threads: 1 })
  const onStep = ({ epoch, step }: { epoch: number; step: number }): void => {
    if (epoch === 2 && step === 1) process.kill(doomed.info.pid, 'SIGKILL')
  }
  const model = await doomed.model(short.network.name, { ...short.network.options, seed: short.seed })
  const images = await doomed.data('fashion_mnist_subset', { split: 'train' })
  const lost = train({ session: doomed, model, data: images, config: short, folder: parts, onStep })
  await expect(lost).rejects.toMatchObject({ name: 'WorkerLostError' })
  await doomed.close().catch(() => undefined)
  await run(short, parts)
  expect(hash(parts, 'state.safetensors')).toBe(hash(whole, 'state.safetensors'))
})

test('the run ends with the weights of the epoch with the best adversarial validation accuracy', async () => {
  const files = folder('best')
  // The last epoch has a hundred times the learning rate, which undoes what the others learned.
  const schedule = { kind: 'multistep', breakpoints: [0.75], factor: 100 } as const
  const config: TrainConfig = {
    ...tiny,
    images: 720,
    schedule,
    attack: null,
    loss: { name: 'natural' },
    splitting: { kind: 'none' },
    threat: { epsilon: 0.01, notation: '0.01' },
    validation: { ...tiny.validation, count: 200 },
  }
  const model = await worker().model(config.network.name, { ...config.network.options, seed: config.seed })
  const { history, selectedEpoch } = await train({ session: worker(), model, data, config, folder: files })
  const robust = history.map(({ validation }) => validation!.robust.correct)
  expect(selectedEpoch).toBe(1 + robust.indexOf(Math.max(...robust)))
  expect(selectedEpoch).toBeLessThan(4)
  await model.save(files.path('after.safetensors'), {
    format: 'safetensors',
    metadata: { epoch: String(selectedEpoch) },
  })
  expect(hash(files, 'after.safetensors')).toBe(hash(files, 'model.safetensors'))
})

test('another seed gives other weights', async () => {
  const [a, b] = [folder('a'), folder('b')]
  const short = { ...tiny, epochs: 1 }
  await run(short, a)
  await run({ ...short, seed: 6 }, b)
  expect(hash(a, 'model.safetensors')).not.toBe(hash(b, 'model.safetensors'))
})

test('RGSM leaves no channel norm in (0, threshold], and the metrics count the zero ones', async () => {
  const model = await worker().model(tiny.network.name, { ...tiny.network.options, seed: 5 })
  const config: TrainConfig = {
    ...tiny,
    epochs: 2,
    validation: { ...tiny.validation, selection: 'last' },
    splitting: rgsm({ beta: 1, lambda1: 0.9 }),
  }
  const { history, selectedEpoch } = await train({ session: worker(), model, data, config })
  expect(selectedEpoch).toBe(2)
  const norms: number[] = []
  for (const weight of model.parameters(['conv', 'downsample'])) {
    const { shape, data: entries } = await weight.read()
    const [outputs, inputs, height, width] = shape as [number, number, number, number]
    for (let c = 0; c < inputs; c++) {
      const squares = Array.from({ length: outputs * height * width }, (_, i) => {
        const [o, k] = [Math.floor(i / (height * width)), i % (height * width)]
        return Number(entries[(o * inputs + c) * height * width + k]) ** 2
      })
      norms.push(Math.sqrt(squares.reduce((x, y) => x + y, 0)))
    }
  }
  const threshold = Math.sqrt(2 * 0.9)
  expect(norms.filter((norm) => norm > 0 && norm <= threshold * (1 - 1e-6))).toEqual([])
  const { zero, total } = history[1]!.inputChannels
  expect([zero, total]).toEqual([norms.filter((norm) => norm === 0).length, norms.length])
  expect(zero).toBeGreaterThan(0)
})

test('a session with another number of threads is refused', async () => {
  await expect(run({ ...tiny, threads: 3 }, folder('threads'))).rejects.toThrow(
    'Expected a session with 3 threads, as the configuration says, got 1',
  )
})

test('training that diverges says so', async () => {
  const config: TrainConfig = { ...tiny, epochs: 2, optimiser: { ...tiny.optimiser, lr: 1e18 } }
  await expect(run(config, folder('diverged'))).rejects.toThrow(
    /^Training diverged: the mean loss of epoch \d is (NaN|Infinity) at learning rate/,
  )
})
