/** What a call of a plan asks of the connection, when it traces, and what the second trace finds. */
import { decode } from '../../bridge/codec'
import { DEBUG_RUN } from '../../bridge/messages'
import type { Session } from '../../ts/tensor/session'
import type { PlanArg } from '../../ts/tensor/remote'
import { assign, repeat, use } from '../../ts/tensor/functions'
import { int, plan } from '../../ts/tensor/plan'
import type { Generator } from '../../ts/tensor/generator'
import { DeviceTensor } from '../../ts/tensor/device_tensor'
import type { Tensor } from '../../ts/tensor/tensor'
import { FakeConnection } from './fake'

let fake: FakeConnection
let traces: number
beforeEach(() => {
  fake = new FakeConnection()
  traces = 0
})

/** Counts how often a function is traced. */
const counted =
  <A extends readonly PlanArg[], R>(fn: (...args: A) => R) =>
  (...args: A): R => {
    traces++
    return fn(...args)
  }

const argsOf = (run: number) => fake.runs[run]!.args

describe('calls', () => {
  test('trace once, verify at the second call, then only run', () => {
    const scale = plan(
      'scale',
      counted((x: Tensor, by: Tensor) => x.mul(by)),
    )
    const x = fake.tensor()
    for (let i = 0; i < 4; i++) scale(x, i / 2)
    expect(traces).toBe(2)
    expect(fake.plans).toHaveLength(1)
    expect(fake.bounds).toEqual([{ plan: 1, captured: [] }])
    expect(fake.runs.map(({ args }) => args)).toEqual([0, 0.5, 1, 1.5].map((by) => [x.handle, ['f', by]]))
  })

  test('without verification the function is traced once', () => {
    const scale = plan(
      'scale',
      counted((x: Tensor) => x.mul(2)),
      { verify: false },
    )
    scale(fake.tensor())
    scale(fake.tensor())
    expect(traces).toBe(1)
  })

  test('debug runs carry the flag', () => {
    plan('loud', (x: Tensor) => x.mul(2), { debug: true })(fake.tensor())
    plan('quiet', (x: Tensor) => x.mul(2))(fake.tensor())
    expect(fake.runs.map(({ flags }) => flags)).toEqual([DEBUG_RUN, 0])
  })

  test('scalars travel as what they are', () => {
    const all = plan('all', (x: Tensor, a: Tensor, b: Tensor, c: Tensor) => x.add(a).mul(b).where(c, 0))
    const x = fake.tensor()
    for (const a of [0.5, -0, 3]) all(x, a, int(3), true)
    expect(fake.plans).toHaveLength(1)
    expect(fake.runs.map(({ args }) => args.slice(1))).toEqual(
      [0.5, -0, 3].map((a) => [
        ['f', a],
        ['i', 3],
        ['b', true],
      ]),
    )
  })

  test('trees go in and come out', () => {
    const swap = plan('swap', ({ x, list }: { x: Tensor; list: Tensor[] }) => ({
      b: [x],
      a: { c: list[0]!, d: list[1]!.neg() },
    }))
    const [x, y, z] = [fake.tensor(), fake.tensor(), fake.tensor()]
    for (let i = 0; i < 3; i++) {
      const { a, b } = swap({ x, list: [y, z] })
      expect(argsOf(i)).toEqual([y.handle, z.handle, x.handle])
      expect([a.c, a.d, b[0]].map((tensor) => tensor!.handle)).toEqual(fake.runs[i]!.outputs)
      expect(a.c).toBeInstanceOf(DeviceTensor)
    }
    expect(fake.plans).toHaveLength(1)
    swap({ list: [y, z], x })
    expect(fake.plans).toHaveLength(1)
  })

  test('a plan of effects gives nothing', () => {
    const slot = fake.tensor()
    const set = plan('set', (x: Tensor) => assign(slot, x))
    expect(set(fake.tensor())).toBeUndefined()
    expect(fake.runs[0]!.outputs).toEqual([])
    expect(fake.bounds[0]!.captured).toEqual([slot.handle])
  })
})

describe('which calls share a trace', () => {
  const f = () =>
    plan(
      'f',
      counted((...xs: Tensor[]) => xs[0]!.add(xs[1]!)),
    )

  test('kinds of scalars', () => {
    const g = f()
    const x = fake.tensor()
    for (const by of [0.5, int(2), true, fake.tensor(), 1]) g(x, by)
    expect(fake.plans).toHaveLength(4)
    expect(argsOf(1)[1]).toEqual(['i', 2])
    expect(argsOf(2)[1]).toEqual(['b', true])
    expect(argsOf(4)[1]).toEqual(['f', 1])
  })

  test('how many arguments', () => {
    const g = f()
    g(fake.tensor(), 1)
    g(fake.tensor(), 1, 2)
    expect(fake.plans).toHaveLength(2)
  })

  test('which arguments are the same handle', () => {
    const g = f()
    const [x, y] = [fake.tensor(), fake.tensor()]
    g(x, y)
    g(x, y)
    expect([traces, fake.plans.length]).toEqual([2, 1])
    g(x, x)
    expect([traces, fake.plans.length]).toEqual([3, 2])
    g(y, y)
    g(y, x)
    g(x, new DeviceTensor(x.handle))
    expect([traces, fake.plans.length]).toEqual([4, 2])
  })

  test('generators go through as they are', () => {
    const noise = plan(
      'noise',
      counted((x: Tensor, generator: Generator) => x.randnLike(generator)),
    )
    const [one, two] = [fake.generator(), fake.generator()]
    const x = fake.tensor()
    for (const generator of [one, one, two, two, one, two]) noise(x, generator)
    expect(fake.bounds.map(({ captured }) => captured)).toEqual([[one.handle], [two.handle]])
    expect(fake.runs.map(({ bound }) => bound)).toEqual([1, 1, 2, 2, 1, 2])
    expect(argsOf(0)).toEqual([x.handle])
  })

  test('sessions', () => {
    const double = plan(
      'double',
      counted((x: Tensor) => x.mul(2)),
    )
    const other = new FakeConnection()
    for (const home of [fake, other, fake, other, fake]) double(home.tensor())
    expect([fake.plans.length, other.plans.length, traces]).toEqual([1, 1, 4])
    expect([fake.runs.length, other.runs.length]).toEqual([3, 2])
  })

  test('a session that ended is forgotten', () => {
    const old = fake.tensor()
    let slot = old
    const read = plan('read', () => use(slot).neg())
    read()
    fake.alive = false
    const other = new FakeConnection()
    slot = other.tensor()
    read()
    expect(other.bounds).toEqual([{ plan: 1, captured: [slot.handle] }])
  })

  test('the option `session` where nothing else tells', () => {
    const session = { connection: fake.connection } as Session
    const half = plan('half', (x: Tensor) => x.div(2), { session })
    half(1)
    half(2)
    half(3)
    expect(fake.runs.map(({ args }) => args)).toEqual([1, 2, 3].map((x) => [['f', x]]))
  })
})

describe('captured handles', () => {
  test('come in the order of their first use, once each', () => {
    const [w, b] = [fake.tensor(), fake.tensor()]
    plan('linear', (x: Tensor) => x.matmul(w).add(b).mul(w))(fake.tensor())
    expect(fake.bounds[0]!.captured).toEqual([w.handle, b.handle])
  })

  test('are part of what the second trace must repeat', () => {
    const slots = [fake.tensor(), fake.tensor()]
    let turn = 0
    const next = plan('next', (x: Tensor) => x.add(slots[turn++]!))
    next(fake.tensor())
    expect(() => next(fake.tensor())).toThrow(
      /Expected plan "next" to be traced twice in the same way, got tensor #1 captured first and tensor #2 then;/,
    )
  })

  test('a captured handle that is returned becomes a new handle', () => {
    const w = fake.tensor()
    const out = plan('out', (x: Tensor) => [use(w), x])(fake.tensor())
    expect(out.map(({ handle }) => handle)).toEqual(fake.runs[0]!.outputs)
    expect(decode(fake.plans[0]!)).toMatchObject({ 1: ['tensor', 'tensor'], 2: [], 3: [1, 0] })
  })
})

describe('the second trace finds', () => {
  const twice = (fn: (x: Tensor) => Tensor): Error => {
    const p = plan('unsteady', fn)
    p(fake.tensor())
    try {
      p(fake.tensor())
    } catch (error) {
      return error as Error
    }
    throw new Error('Expected the second trace to be refused')
  }
  const line = String.raw`test/tensor/plan\.test\.ts:\d+:\d+`
  const same = 'Expected plan "unsteady" to be traced twice in the same way, got '

  test('Math.random', () => {
    const { message, name } = twice((x) => x.add(1).mul(Math.random()))
    expect(name).toBe('PlanError')
    expect(message).toMatch(
      new RegExp(`^${same}mul\\(%1, 0\\.\\d+\\) at ${line} first and mul\\(%1, 0\\.\\d+\\) at ${line} then;`),
    )
    expect(message).toMatch(new RegExp(`in plan "unsteady", op mul +${line}`))
  })

  test('Date.now', () => {
    let clock = 1000
    const now = jest.spyOn(Date, 'now').mockImplementation(() => clock++)
    const { message } = twice((x) => x.div(Date.now()))
    now.mockRestore()
    expect(message).toContain('div(%0, 1000)')
    expect(message).toContain('div(%0, 1001)')
  })

  test('a variable that is written between the traces', () => {
    let calls = 0
    const { message } = twice((x) => (calls++ === 0 ? x.exp() : x.log()))
    expect(message).toMatch(new RegExp(`exp\\(%0\\) at ${line} first and log\\(%0\\) at ${line} then`))
  })

  test('a loop that grows', () => {
    let times = 1
    const { message } = twice((x) => Array.from({ length: times++ }).reduce<Tensor>((sum) => sum.add(1), x))
    expect(message).toMatch(new RegExp(`got nothing first and add\\(%1, 1\\) at ${line} then`))
  })

  test('a difference inside of a repeat', () => {
    let by = 1
    const { message } = twice((x) => repeat(2, x, (c) => c.mul(by++)))
    expect(message).toMatch(/got mul\(%0, 1\) at \S+ first and mul\(%0, 2\) at/)
  })

  test('other results', () => {
    let first = true
    const p = plan('unsteady', (x: Tensor): Record<string, Tensor> => {
      const key = first ? 'a' : 'b'
      first = false
      return { [key]: x }
    })
    p(fake.tensor())
    expect(() => p(fake.tensor())).toThrow('got a result like {"a":*} first and one like {"b":*} then')
  })
})
