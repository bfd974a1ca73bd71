/** Plans on a real worker: numbers, effects, errors with lines, debug runs. */
import { rmSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assign, grad, randn, repeat, use } from '../../ts/tensor/functions'
import { int, plan } from '../../ts/tensor/plan'
import { connect, type Session } from '../../ts/tensor/session'
import type { Tensor } from '../../ts/tensor/tensor'

const log: string[] = []
let session: Session
beforeAll(async () => {
  session = await connect({ device: 'cpu', threads: 1, onLog: (line) => log.push(line) })
})
afterAll(() => session.close())

const line = String.raw`test/tensor/worker\.test\.ts:\d+:\d+`

/** A sequence without a formula that a linear model could learn. */
const wave = (n: number): number[] => Array.from({ length: n }, (_, i) => Math.fround(Math.sin(7 * i * i + 1)))

async function list(tensor: { read(): Promise<{ data: ArrayLike<number | bigint> }> }): Promise<number[]> {
  return Array.from((await tensor.read()).data, Number)
}

describe('numbers', () => {
  test('FGSM on a linear model equals its closed form', async () => {
    // Two classes: the gradient of the cross-entropy with respect to x has the sign of w[other] - w[label].
    const [n, d] = [4, 6]
    const w = wave(2 * d)
    const labels = [0, 1, 1, 0]
    const image = wave(n * d).map((v) => (v + 1) / 2)
    const weights = session.put(w, [2, d])
    const fgsm = plan('fgsm', (x: Tensor, y: Tensor, epsilon: Tensor) => {
      const leaf = x.leaf()
      const loss = leaf.matmul(use(weights).transpose(0, 1)).crossEntropy(y, { reduction: 'sum' })
      return x.add(grad(loss, leaf).sign().mul(epsilon)).clamp(0, 1)
    })
    const x = session.put(image, [n, d])
    const y = session.put(labels, [n], 'int64')
    for (const epsilon of [0.031, 0.1, 0.5]) {
      const expected = image.map((v, k) => {
        const [i, j] = [Math.floor(k / d), k % d]
        const toOther = w[(1 - labels[i]!) * d + j]! - w[labels[i]! * d + j]!
        return Math.min(1, Math.max(0, v + epsilon * Math.sign(toOther)))
      })
      const got = await list(fgsm(x, y, epsilon))
      got.forEach((v, k) => expect(v).toBeCloseTo(expected[k]!, 6))
    }
  })

  test('repeat(10) gives the bits of 10 runs', async () => {
    const step = (x: Tensor, index: Tensor): Tensor => {
      const leaf = x.leaf()
      return x.sub(grad(leaf.tanh().square().sum(), leaf).mul(0.1)).add(index.mul(0.01))
    }
    const once = plan('once', step)
    const ten = plan('ten', (x: Tensor) => repeat(10, x, step))
    const often = plan('often', (x: Tensor, times: Tensor) => repeat(times, x, step))
    const start = session.put(wave(9), [3, 3])
    let x = start
    for (let i = 0; i < 10; i++) x = once(x, int(i))
    const expected = await list(x)
    expect(await list(ten(start))).toEqual(expected)
    expect(await list(often(start, int(10)))).toEqual(expected)
    expect(await list(often(start, int(0)))).toEqual(await list(start))
  })

  test('runtime scalars do not change the dtype, and keep their own', async () => {
    const kinds = plan('kinds', (x: Tensor, f: Tensor, i: Tensor, b: Tensor) => [x.mul(f).mul(i), f, i, b])
    const read = await Promise.all(kinds(session.put([1, 2]), 0.5, int(3), true).map((tensor) => tensor.read()))
    expect(read.map(({ dtype }) => dtype)).toEqual(['float32', 'float64', 'int64', 'bool'])
    expect(Array.from(read[0]!.data, Number)).toEqual([1.5, 3])
  })

  test('slots: assign is seen by later nodes and by later runs', async () => {
    const slot = session.put(Float64Array.of(1), [])
    const bump = plan('bump', (by: Tensor) => {
      const before = use(slot).clone()
      assign(slot, use(slot).add(by))
      return { before, after: use(slot).mul(10) }
    })
    bump(1)
    bump(2)
    const { before, after } = bump(3)
    expect(await session.items([slot, before, after])).toEqual([7, 4, 70])
  })

  test('one seed, one sequence; a generator moves on', async () => {
    const draw = plan('draw', () => randn([4], generator))
    let generator = session.generator(7)
    const first = await list(draw())
    generator = session.generator(7)
    const again = plan('draw again', () => randn([4], generator))
    expect(await list(again())).toEqual(first)
    expect(await list(again())).not.toEqual(first)
  })

  test('uploads come back as they went', async () => {
    for (const data of [
      Float64Array.of(0.1, -0, NaN),
      BigInt64Array.of(2n ** 53n + 1n),
      Uint8Array.of(0, 255),
      new Float32Array(0),
    ]) {
      expect((await session.put(data).read()).data).toEqual(data)
    }
    expect(await session.put([1, 0], [2, 1], 'bool').read()).toEqual({
      dtype: 'bool',
      shape: [2, 1],
      data: Uint8Array.of(1, 0),
    })
  })
})

describe('errors', () => {
  test('name the line inside of the plan, of the call and of the read', async () => {
    const product = plan('product', (a: Tensor, b: Tensor) => a.add(1).matmul(b))
    const a = session.put(wave(6), [2, 3])
    const error: Error = (await product(a, a)
      .read()
      .catch((e: Error) => e)) as Error
    expect(error.name).toBe('TorchOpError')
    expect(error.message).toMatch(/mat1 and mat2 shapes cannot be multiplied \(2x3 and 2x3\)/)
    expect(error.message).toMatch(new RegExp(`in plan "product", op matmul +${line}`))
    expect(error.message).toMatch(new RegExp(`run #\\d+ issued at +${line}`))
    expect(error.message).toContain('inputs  float32[2, 3]  float32[2, 3]')
    const [inside, issued] = [...error.message.matchAll(/worker\.test\.ts:(\d+)/g)].map((match) => Number(match[1]))
    expect(issued! - inside!).toBe(2)
  })

  test('reach everything that depends on them, and nothing else', async () => {
    const bad = plan('bad', (x: Tensor) => x.reshape([7]))
    const twice = plan('twice', (x: Tensor) => x.mul(2))
    const slot = session.put([1, 2])
    const write = plan('write', (x: Tensor) => assign(slot, x))
    const good = session.put([1, 2])
    const poisoned = twice(twice(bad(good)))
    write(poisoned)
    for (const tensor of [poisoned, slot]) await expect(tensor.read()).rejects.toThrow(/in plan "bad", op reshape/)
    expect(await list(twice(good))).toEqual([2, 4])
  })

  test('a line inside of a repeat', async () => {
    const bad = plan('bad repeat', (x: Tensor) => repeat(2, x, (c) => c.matmul(c)))
    await expect(bad(session.put(wave(6), [2, 3])).read()).rejects.toThrow(
      new RegExp(`in plan "bad repeat", op matmul +${line}`),
    )
  })

  test('checkFinite fails where the NaN is made', async () => {
    const log2 = plan('log', (x: Tensor) => x.log().checkFinite('the logarithm').mul(2))
    await expect(log2(session.put([-1, 1])).read()).rejects.toThrow(/Expected `the logarithm` to be finite, got 1 NaN/)
  })
})

describe('looking inside', () => {
  const logged = async (what: () => unknown): Promise<string[]> => {
    await session.barrier()
    log.length = 0
    await what()
    // The log has its own way home: what was printed before the answer may arrive after it.
    for (let i = 0; i < 200 && log.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 10))
    return log
  }

  test('print passes its value on and says what it is', async () => {
    const loud = plan('loud', (x: Tensor) => x.print('the input').mul(2))
    const lines = await logged(async () => expect(await list(loud(session.put([1, 2, 6], [3])))).toEqual([2, 4, 12]))
    expect(lines.join('\n')).toMatch(new RegExp(`the input +float32\\[3\\] +min 1 +mean 3 +max 6 +\\(${line}\\)`))
  })

  test('debug runs log each op with its line', async () => {
    const chain = plan('chain', (x: Tensor) => x.add(1).mul(2).sum(), { debug: true })
    const lines = await logged(() => chain(session.put([1, 2])).item())
    for (const op of ['add', 'mul', 'sum']) expect(lines.join('\n')).toMatch(new RegExp(`${line}  ${op} -> float32`))
  })
})

describe('models and optimizers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'feynkac-tensor-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  const small = { width: 4, channels: 1, stem_stride: 2 }

  test('a step of SGD lowers the loss; state is saved and restored', async () => {
    const model = await session.model('resnet8', { ...small, seed: 1 })
    expect(model.parameters('conv').length + model.parameters('downsample').length).toBe(
      model.names(['conv', 'downsample']).length,
    )
    const optimizer = session.sgd(model.parameters(), { momentum: 0.9 })
    const x = session.put(wave(8 * 64), [8, 1, 8, 8])
    const y = session.put([0, 1, 2, 3, 4, 5, 6, 7], [8], 'int64')
    const step = plan('step', (x: Tensor, y: Tensor, lr: Tensor) => {
      const loss = model.call(x, { mode: 'train' }).crossEntropy(y)
      optimizer.step(grad(loss, model.parameters()), lr)
      return loss
    })
    const before = await step(x, y, 0.05).item()
    const path = join(folder, 'state.safetensors')
    await session.saveState(path, { model, optimizer }, { epoch: 1 })
    const [second, third] = await session.items([step(x, y, 0.05), step(x, y, 0.05)])
    expect(third!).toBeLessThan(before)
    expect(await session.loadState(path, { model, optimizer })).toEqual({ epoch: 1 })
    expect(await session.items([step(x, y, 0.05), step(x, y, 0.05)])).toEqual([second, third])
  })

  test('parameters can be replaced for one call', async () => {
    const model = await session.model('resnet8', { ...small, seed: 2 })
    const x = session.put(wave(64), [1, 1, 8, 8])
    const names = model.names()
    const logits = plan('logits', (x: Tensor) => {
      const values = use(model.parameters()).map((w) => w.zerosLike())
      return [model.call(x, { mode: 'eval' }), model.call(x, { mode: 'eval', parameters: { names, values } })] as const
    })
    const [own, zero] = logits(x)
    expect((await list(own)).some((v) => v !== 0)).toBe(true)
    expect((await list(zero)).every((v) => v === 0)).toBe(true)
  })

  test('a saved model loads again', async () => {
    const model = await session.model('resnet8', { ...small, seed: 3 })
    await model.save(join(folder, 'net.safetensors'), { format: 'safetensors' })
    const copy = await session.load(join(folder, 'net.safetensors'))
    expect(copy.description.architecture).toBe(model.description.architecture)
    expect(await list(copy.parameters()[0]!)).toEqual(await list(model.parameters()[0]!))
  })

  test('a model that leaves a scope keeps its parameters; the rest is freed', async () => {
    let inside = session.put([1])
    const model = await session.scope(async () => {
      inside = session.put([2])
      return session.model('resnet8', { ...small, seed: 4 })
    })
    expect(inside.handle.freed).toBe(true)
    expect((await model.parameters()[0]!.read()).shape).toEqual(model.description.parameters[0]!.shape)
  })

  test('what a service refuses is one sentence', async () => {
    await expect(session.model('resnet9')).rejects.toThrow(/^Expected .*resnet9/)
    expect(() => session.generator(0.5)).toThrow('Expected `seed` to be an integer within 2^53, got `0.5` (number)')
    expect(() => session.put([1, 2], [3])).toThrow('Expected `shape`')
  })
})
