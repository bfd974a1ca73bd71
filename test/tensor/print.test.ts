/** Plans as text. */
import { arange, assign, cat, grad, rand, repeat, sub, use } from '../../ts/tensor/functions'
import { placeholder } from '../../ts/tensor/placeholder'
import { int, plan } from '../../ts/tensor/plan'
import type { Tensor } from '../../ts/tensor/tensor'
import { FakeConnection } from './fake'

const text = (lines: string): string => lines.replace(/^\n/, '').replace(/^ {4}/gm, '').trimEnd()

test('FGSM on a matrix that is captured', () => {
  const w = placeholder()
  const fgsm = plan('fgsm', (x: Tensor, y: Tensor, epsilon: Tensor) => {
    const leaf = x.leaf()
    const loss = leaf.matmul(w).crossEntropy(y, { reduction: 'sum' })
    return { x: x.add(grad(loss, leaf).sign().mul(epsilon)).clamp(0, 1), loss: loss.detach() }
  })
  expect(fgsm.print(placeholder(), placeholder(), 0.1)).toBe(
    text(`
    plan "fgsm" (%0 tensor, %1 tensor, %2 scalar) captures (%3 tensor) {
      %4 = leaf(%0)
      %5 = matmul(%4, %3)
      %6 = cross_entropy(%5, %1, reduction="sum")
      %7 = grad(%6, [%4])
      %8 = get(%7, 0)
      %9 = sign(%8)
      %10 = mul(%9, %2)
      %11 = add(%0, %10)
      %12 = clamp(%11, 0, 1)
      %13 = detach(%6)
      return %13, %12
    }`),
  )
})

test('repeats: carry, index, captures from outside, also two levels up', () => {
  const w = placeholder()
  const nested = plan('nested', (x: Tensor, step: Tensor) =>
    repeat(2, { x, sum: x.zerosLike() }, ({ x, sum }, i) => ({
      x: repeat(int3(), x, (inner) => inner.sub(step).mul(w)),
      sum: sum.add(x).add(i),
    })),
  )
  expect(nested.print(placeholder(), 1)).toBe(
    text(`
    plan "nested" (%0 tensor, %1 scalar) captures (%2 tensor) {
      %3 = zeros_like(%0)
      %4 = repeat 2 carry (%4.0 = %3, %4.1 = %0) index %4.2 captures (%4.3 = %1, %4.4 = %2) {
        %4.5 = repeat 3 carry (%4.5.0 = %4.1) index %4.5.1 captures (%4.5.2 = %4.3, %4.5.3 = %4.4) {
          %4.5.4 = sub(%4.5.0, %4.5.2)
          %4.5.5 = mul(%4.5.4, %4.5.3)
          next %4.5.5
        }
        %4.6 = get(%4.5, 0)
        %4.7 = add(%4.0, %4.1)
        %4.8 = add(%4.7, %4.2)
        next %4.8, %4.6
      }
      %5 = get(%4, 0)
      %6 = get(%4, 1)
      return %5, %6
    }`),
  )
})

const int3 = (): number => 3

test('a repeat as often as a runtime number says, with effects only', () => {
  const slot = placeholder()
  const count = plan('count', (times: Tensor) => {
    repeat(times, [], () => {
      assign(slot, use(slot).add(1))
      return []
    })
  })
  expect(count.print(int(5))).toBe(
    text(`
    plan "count" (%0 scalar) captures (%1 tensor) {
      %2 = repeat %0 carry () index %2.0 captures (%2.1 = %1) {
        %2.2 = add(%2.1, 1)
        assign(%2.1, %2.2)
        next
      }
      return
    }`),
  )
})

test('lists of results, options, enumerations, dtypes, literals', () => {
  const shapes = plan('shapes', (x: Tensor) => {
    const [values, indices] = x.topk(2, { dim: 1, largest: false })
    const [sorted] = x.sort({ descending: true })
    const padded = x.pad([1, 1], { mode: 'reflect' }).sum({ dim: 0, keepdim: true })
    return [
      values,
      indices,
      cat([sorted, padded, sub(1, x)], 0),
      x.to('float64').mul(0.1).mul(1e30).mul(-0),
      x.clamp(null, 2),
      arange(0, 4, 1, 'int64'),
    ]
  })
  expect(shapes.print(placeholder())).toBe(
    text(`
    plan "shapes" (%0 tensor) {
      %1 = topk(%0, 2, dim=1, largest=false)
      %2 = get(%1, 0)
      %3 = get(%1, 1)
      %4 = sort(%0, descending=true)
      %5 = get(%4, 0)
      %6 = pad(%0, [1, 1], mode="reflect")
      %7 = sum(%6, dim=[0], keepdim=true)
      %8 = sub(1, %0)
      %9 = cat([%5, %7, %8], 0)
      %10 = to(%0, float64)
      %11 = mul(%10, 0.1)
      %12 = mul(%11, 1e+30)
      %13 = mul(%12, -0.0)
      %14 = clamp(%0, none, 2)
      %15 = arange(0, 4, 1, int64)
      return %2, %3, %9, %13, %14, %15
    }`),
  )
})

test('a training step: module, optimizer, generator and slots are captured once', () => {
  const fake = new FakeConnection()
  const [model, optimizer, generator, sum] = [fake.model(), fake.optimizer(2), fake.generator(), fake.tensor()]
  const step = plan('step', (x: Tensor, y: Tensor, lr: Tensor) => {
    const noisy = x.add(rand([1], generator))
    const loss = model.call(noisy, { mode: 'train', generator }).crossEntropy(y)
    optimizer.step(grad(loss, model.parameters()), lr)
    assign(sum, use(sum).add(loss.detach()))
    const names = model.names('conv')
    return model.call(x, { mode: 'eval', noise: false, parameters: { names, values: use(model.parameters('conv')) } })
  })
  expect(step.print(fake.tensor(), fake.tensor(), 0.1)).toBe(
    text(`
    plan "step" (%0 tensor, %1 tensor, %2 scalar) captures (%3 generator, %4 module, %5 tensor, %6 tensor, %7 optimizer, %8 tensor) {
      %9 = rand([1], %3)
      %10 = add(%0, %9)
      %11 = call(%4, %10, "train", generator=%3)
      %12 = cross_entropy(%11, %1)
      %13 = grad(%12, [%5, %6])
      %14 = get(%13, 0)
      %15 = get(%13, 1)
      optimizer_step(%7, [%14, %15], %2)
      %17 = detach(%12)
      %18 = add(%8, %17)
      assign(%8, %18)
      %20 = call(%4, %0, "eval", noise=false, names=["conv.weight"], params=[%5])
      return %20
    }`),
  )
})

test('dead pure nodes and what only they captured are dropped; draws and effects stay', () => {
  const [unused, generator] = [placeholder(), placeholder('generator')]
  const dead = plan('dead', (x: Tensor) => {
    x.add(unused).sum()
    rand([2], generator)
    x.exp().print('seen')
    repeat(2, x, (c) => {
      c.mul(unused)
      return c
    })
    return x.neg()
  })
  expect(dead.print(placeholder())).toBe(
    text(`
    plan "dead" (%0 tensor) captures (%1 generator) {
      %2 = rand([2], %1)
      %3 = exp(%0)
      %4 = print(%3, "seen")
      %5 = repeat 2 carry (%5.0 = %0) index %5.1 {
        next %5.0
      }
      %6 = neg(%0)
      return %6
    }`),
  )
})

test('a plan inside a plan becomes part of it; numbers become tensors there too', () => {
  const scale = plan('scale', ({ x, by }: { x: Tensor; by: Tensor }) => x.mul(by))
  const slot = placeholder()
  const outer = plan('outer', (x: Tensor) => [scale({ x, by: 2 }), scale({ x: use(slot), by: int(3) })])
  expect(outer.print(placeholder())).toBe(
    text(`
    plan "outer" (%0 tensor) captures (%1 tensor) {
      %2 = full([], 2, float64)
      %3 = mul(%0, %2)
      %4 = full([], 3, int64)
      %5 = mul(%1, %4)
      return %3, %5
    }`),
  )
})

test('with the lines of the source, after the first trace', () => {
  const twice = plan('twice', (x: Tensor) => x.add(x))
  expect(String(twice)).toBe('plan "twice" (not traced yet)')
  twice.print(placeholder())
  expect(String(twice)).toMatch(
    /^plan "twice" \(%0 tensor\) \{\n {2}%1 = add\(%0, %0\) +test\/tensor\/print\.test\.ts:\d+:48\n {2}return %1\n\}$/,
  )
})
