/** Whether memory stays flat: resident bytes of both processes while a tiny network takes thousands of training steps. */
import { assign, grad, rand, use } from '../../ts/tensor/functions'
import { plan } from '../../ts/tensor/plan'
import type { Session } from '../../ts/tensor/session'
import type { Tensor } from '../../ts/tensor/tensor'

const BATCH = 4
const SIZE = 8

export interface MemoryUse {
  /** Steps done when the sample was taken. */
  readonly steps: number
  readonly clientBytes: number
  readonly workerBytes: number
  readonly handles: number
}

/** `samples` + 1 readings over `steps` steps; each step also gives an output that nobody keeps. */
export async function measureMemory(
  session: Session,
  {
    steps,
    samples,
    onProgress = () => undefined,
  }: { steps: number; samples: number; onProgress?: (done: number) => void },
): Promise<MemoryUse[]> {
  const model = await session.model('enresnet8', { members: 2, width: 2, channels: 1, stem_stride: 2, seed: 1 })
  const optimizer = session.sgd(model.parameters(), { momentum: 0.9 })
  const generator = session.generator(1)
  const lossSum = session.put(new Float32Array(1), [])
  const step = plan(
    'step',
    (lr: Tensor) => {
      const x = rand([BATCH, 1, SIZE, SIZE], generator)
      const y = rand([BATCH], generator).mul(10).floor().to('int64')
      const loss = model.call(x, { mode: 'train', generator }).crossEntropy(y)
      optimizer.step(grad(loss, model.parameters()), lr)
      assign(lossSum, use(lossSum).add(loss.detach()))
      return loss.detach()
    },
    { session },
  )

  const readings: MemoryUse[] = []
  const read = async (done: number): Promise<void> => {
    const { rssBytes, handles } = await session.memory()
    readings.push({ steps: done, clientBytes: process.memoryUsage.rss(), workerBytes: rssBytes, handles })
  }
  for (let done = 0; done < steps; done++) {
    if (done % Math.ceil(steps / samples) === 0) await read(done)
    await session.ready()
    step(0.001)
    onProgress(done + 1)
  }
  await read(steps)
  return readings
}
