/** The l-infinity ball: start and projection by numbers. */
import linf from '../../ts/threats/linf'
import { plan } from '../../ts/tensor/plan'
import type { DeviceTensor } from '../../ts/tensor/device_tensor'
import type { Tensor } from '../../ts/tensor/tensor'
import { numbers, useWorker } from '../support/worker'

const worker = useWorker()
const put = (values: number[]): DeviceTensor => worker().put(Float32Array.from(values), [values.length])

test('projects into the ball, then into the image box', async () => {
  const { project } = linf({ epsilon: 0.25 })
  const run = plan('project', (x: Tensor, clean: Tensor) => project(x, clean), { session: worker() })
  const projected = run(put([0.5, 0.9, -1, 2, 0.1]), put([0.5, 0.5, 0.5, 0.875, 0.125]))
  expect(await numbers(projected)).toEqual([0.5, 0.75, 0.25, 1, Math.fround(0.1)])
})

test('starts anywhere in the ball, outside of the image box as well', async () => {
  const { start } = linf({ epsilon: 0.25 })
  const run = plan('start', (clean: Tensor, draw: Tensor) => start(clean, draw), { session: worker() })
  expect(await numbers(run(put([0, 0.5, 1]), put([0, 0.5, 1])))).toEqual([-0.25, 0.5, 1.25])
})

test('prints epsilon as it was written', () => {
  expect(linf({ epsilon: 8 / 255, notation: '8/255' })).toMatchObject({ epsilon: 8 / 255, notation: '8/255' })
  expect(linf({ epsilon: 0.031 }).notation).toBe('0.031')
})
