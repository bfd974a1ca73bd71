/** Types of the public interface; the marked lines must not compile, which tsc checks. */
import { grad, repeat, use } from '../../ts/tensor/functions'
import type { Tree } from '../../ts/tensor/kinds'
import { int, plan } from '../../ts/tensor/plan'
import type { DeviceTensor } from '../../ts/tensor/device_tensor'
import type { Tensor } from '../../ts/tensor/tensor'
import { FakeConnection } from './fake'

const fake = new FakeConnection()
const [a, b] = [fake.tensor(), fake.tensor()]

/** Compiles when the type of `value` is exactly T. */
const exactly = <T>() => ({ of: <U>(value: [U] extends [T] ? ([T] extends [U] ? U : never) : never): U => value })

test('results mirror the function', () => {
  const p = plan('p', (x: Tensor, lr: Tensor) => ({ x: x.mul(lr), list: [x, lr] as [Tensor, Tensor] }))
  const { x, list } = p(a, 0.1)
  exactly<DeviceTensor>().of(x)
  exactly<[DeviceTensor, DeviceTensor]>().of(list)
  const nothing: void = plan('v', (x: Tensor) => void x)(a)
  expect(nothing).toBeUndefined()
  exactly<DeviceTensor[]>().of(plan('l', () => use([a, b]).map((t) => t.neg()))())
  expect(fake.runs).toHaveLength(3)
})

test('arguments are tensors of the worker or scalars, in the same structure', () => {
  const p = plan('p', ({ x }: { x: Tensor }, [y]: [Tensor]) => x.add(y))
  p({ x: a }, [int(1)])
  p({ x: true }, [a])
  // @ts-expect-error -- a string is no scalar
  expect(() => p({ x: 'a' }, [1])).toThrow('Expected argument')
  // @ts-expect-error -- an argument is missing
  expect(() => p({ x: a })).toThrow()
  // @ts-expect-error -- another structure
  expect(() => p({ y: a }, [1])).toThrow()
})

test('inside of a plan the same call gives symbolic tensors', () => {
  const p = plan('p', (x: Tensor) => ({ y: x.neg() }))
  plan('q', (x: Tensor) => exactly<Tensor>().of(p(x).y))(a)
})

test('functions of plans are synchronous and give trees of tensors', () => {
  // @ts-expect-error -- a promise is no tree
  const p = plan('p', async (x: Tensor) => Promise.resolve({ x }))
  expect(() => p(a as never)).toThrow('synchronous')
  // @ts-expect-error -- numbers are not results
  expect(() => plan('n', () => 1, {})()).toThrow('to be a symbolic tensor')
})

test('structural functions mirror what goes in', () => {
  plan('s', (x: Tensor) => {
    const leaf = x.leaf()
    exactly<Tensor>().of(grad(leaf.sum(), leaf))
    exactly<Tensor[]>().of(grad(leaf.sum(), [leaf]))
    exactly<{ w: Tensor }>().of(grad(leaf.sum(), { w: leaf }))
    exactly<{ w: Tensor }>().of(repeat(2, { w: x }, ({ w }) => ({ w: w.neg() })))
    exactly<{ w: Tensor; u: readonly Tensor[] }>().of(use({ w: a, u: [a, b] as readonly DeviceTensor[] }))
    const [values, indices] = x.topk(2)
    exactly<Tensor>().of(values)
    exactly<Tensor>().of(indices)
    // @ts-expect-error -- topk gives two tensors
    expect(x.topk(2)[2]).toBeUndefined()
    // @ts-expect-error -- no such reduction
    expect(() => x.crossEntropy(x, { reduction: 'max' })).toThrow()
    // @ts-expect-error -- no such option
    expect(() => x.sum({ dims: 1 })).toThrow()
    // @ts-expect-error -- no values while tracing
    expect((): number => x).not.toThrow()
  })(a)
})

test('trees of unknown structure', () => {
  const init = plan('init', (x: Tensor): Tree => [x])
  const step = plan('step', (x: Tensor, state: Tree) => ({ x, state }))
  let { state } = step(a, init(a))
  state = step(a, state).state
  expect(Array.isArray(state)).toBe(true)
})
