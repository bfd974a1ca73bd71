/** The cost of a smaller network, counted from the graph of the whole one and from the network that the worker makes. */
import { cost } from '../../ts/cost/cost'
import { useWorker } from '../support/worker'
import { widths } from './widths'

const session = useWorker()

test('both ways agree in every count', async () => {
  const dense = await session().model('enresnet8', { members: 2, width: 4 })
  const small = await dense.narrow(widths)
  const [planned, built] = [cost(await dense.graph([3, 16, 16]), { widths }), cost(await small.graph([3, 16, 16]))]
  expect(planned.parameters).toBe(small.description.trainable)
  expect(planned.parameters).toBeLessThan(dense.description.trainable)
  const { layers, ...sums } = built
  expect(planned).toMatchObject(sums)
  expect(layers.filter(({ selects }) => selects).length).toBeGreaterThan(0)
  expect(planned.layers.find(({ module }) => module === 'ensemble.0.layer2.0.bn1')).toMatchObject({ selects: true })
})
