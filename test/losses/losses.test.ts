/** Losses on a network of two logits, against the cross-entropy by hand. */
import type { Network } from '../../ts/tensor/kinds'
import { plan } from '../../ts/tensor/plan'
import type { DeviceTensor } from '../../ts/tensor/device_tensor'
import type { Tensor } from '../../ts/tensor/tensor'
import { makeMethod, methodNames } from '../../ts/training/registry'
import { useWorker } from '../support/worker'

const worker = useWorker()
const CLEAN = [2, 0, 0, 1]
const ADVERSARIAL = [1, 0, 0, 3]
const LABELS = [0, 0]

const crossEntropy = ([a0, a1, b0, b1]: number[]): number =>
  (Math.log(1 + Math.exp(a1! - a0!)) + Math.log(1 + Math.exp(b1! - b0!))) / 2

const expected: Record<string, number> = { adversarial: crossEntropy(ADVERSARIAL), natural: crossEntropy(CLEAN) }

test.each(methodNames('losses'))('%s', async (name) => {
  const loss = makeMethod('losses', name)
  const identity: Network = (x) => x
  const run = plan('loss', (clean: Tensor, adversarial: Tensor, y: Tensor) => loss(identity, clean, adversarial, y), {
    session: worker(),
  })
  const put = (values: number[]): DeviceTensor => worker().put(Float32Array.from(values), [2, 2])
  const value = run(put(CLEAN), put(ADVERSARIAL), worker().put(BigInt64Array.from(LABELS, BigInt), [2]))
  expect(await value.item()).toBeCloseTo(expected[name]!, 6)
})
