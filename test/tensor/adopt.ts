/** What adopting a network means, for every launcher: `adoptsLike` runs the same tests over each. */
import { join } from 'node:path'
import fgsm from '../../ts/attacks/fgsm'
import { evaluate } from '../../ts/evaluation/evaluate'
import { sparsity } from '../../ts/evaluation/sparsity'
import { assign, grad, use } from '../../ts/tensor/functions'
import { plan } from '../../ts/tensor/plan'
import type { Model, Session } from '../../ts/tensor/session'
import type { Tensor } from '../../ts/tensor/tensor'
import linf from '../../ts/threats/linf'

export const smallNet = join(__dirname, '..', 'support', 'small_net.py')

/** Fifty images: right answers without and with FGSM. */
export async function attacked(session: Session, model: Model): Promise<{ natural: number; fgsm: number }> {
  const data = await session.data('fashion_mnist_subset', { split: 'test' })
  const { natural, attacks } = await evaluate({
    ...{ session, model, data, attacks: { fgsm: fgsm({ epsilon: 0.1 }) }, threat: linf({ epsilon: 0.1 }) },
    ...{ batch: 50, limit: 50, seed: 0 },
  })
  return { natural: natural.correct, fgsm: attacks['fgsm']!.correct }
}

/** Two steps of gradient descent on the first images; the losses before each and after both. */
export async function trained(session: Session, model: Model, size = 64): Promise<number[]> {
  const data = await session.data('fashion_mnist_subset', { split: 'train' })
  const generator = session.generator(0)
  const loss = (): Tensor =>
    model
      .call(use(data.images).narrow(0, 0, size), { mode: 'train', generator })
      .crossEntropy(use(data.labels).narrow(0, 0, size))
  const measure = plan('measure', () => loss().detach(), { session })
  const step = plan(
    'step',
    () => {
      const found = loss()
      grad(found, model.parameters()).forEach((g, i) => {
        const w = model.parameters()[i]!
        assign(w, use(w).sub(g.mul(0.1)))
      })
      return found.detach()
    },
    { session },
  )
  return session.items([step(), step(), measure()])
}

/** The tests that hold under any launcher; `open` gives a session with the permission. */
export function adoptsLike(open: () => Session): void {
  test('describes a network by the roles of its parameters', async () => {
    const model = await open().adopt(`${smallNet}:make`, { width: 3 })
    expect(model.description).toMatchObject({ name: 'SmallNet', architecture: 'SmallNet', members: 1, options: {} })
    expect(model.names('conv')).toEqual(['stem.weight'])
    expect(model.names('norm')).toEqual(['norm.weight', 'norm.bias'])
    expect(model.names(['linear', 'bias'])).toEqual(['head.weight', 'head.bias'])
    expect(model.description.parameters[0]!.shape).toEqual([3, 1, 3, 3])
    expect(model.description.trainable).toBe(27 + 6 + 10 * 3 * 49 + 10)
    expect((await sparsity({ session: open(), model })).inputChannels).toEqual({ zero: 0, total: 1 })
  })

  test('trains: the loss falls, running statistics move', async () => {
    const model = await open().adopt(`${smallNet}:make`)
    const mean = model.buffers()[0]!
    const sum = plan('sum', () => use(mean).abs().sum(), { session: open() })
    expect(await sum().item()).toBe(0)
    const losses = await trained(open(), model)
    expect(losses[2]).toBeLessThan(losses[0]!)
    expect(await sum().item()).toBeGreaterThan(0)
  })

  test('is attacked: fewer right answers, and weights that depend on the seed only', async () => {
    const [model, twin] = [
      await open().adopt(`${smallNet}:make`, {}, { seed: 3 }),
      await open().adopt(`${smallNet}:make`, {}, { seed: 3 }),
    ]
    await trained(open(), model)
    const first = await attacked(open(), model)
    expect(first.fgsm).toBeLessThan(first.natural)
    await trained(open(), twin)
    expect(await attacked(open(), twin)).toEqual(first)
  })

  test.each([
    [`${smallNet}:mke`, 'Expected `small_net.py:mke` to exist, found NUMBER, SmallNet'],
    [
      `${smallNet}:refuse`,
      'Expected `small_net.py:refuse` to run, got ValueError: no such weights (small_net.py, line',
    ],
    [`${smallNet}:NUMBER`, 'Expected `small_net.py:NUMBER` to be something to call, got int'],
    [`${smallNet}:tensor`, 'Expected `small_net.py:tensor` to give an nn.Module, got Tensor'],
    ['no_such_module:make', 'Expected the module `no_such_module` to run, got ModuleNotFoundError'],
    ['/no/such/file.py:make', 'Expected `/no/such/file.py` to be the absolute path of a Python file that exists'],
    ['torch.nn:LazyLinear', 'to run, got TypeError'],
    ['small_net.py', 'Expected `file.py:factory` or `package.module:factory`, got `small_net.py` (string)'],
    ['os;import x:system', 'Expected `file.py:factory` or `package.module:factory`, got `os;import x:system`'],
    ['os:system("x")', 'Expected `file.py:factory` or `package.module:factory`, got `os:system("x")`'],
  ])('refuses %s in one sentence', async (spec, sentence) => {
    const error: unknown = await open()
      .adopt(spec)
      .catch((found: unknown) => found)
    expect((error as Error).message).toContain(sentence)
    expect((error as Error).message).not.toContain('\n')
  })

  test('a module without all its shapes is refused', async () => {
    await expect(open().adopt('torch.nn:LazyLinear', { out_features: 3 })).rejects.toThrow('lazy parameters')
  })
}
