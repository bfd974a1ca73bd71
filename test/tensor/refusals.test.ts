/** What cannot be traced, and how it is said. */
import { inspect } from 'node:util'
import { PlanError } from '../../bridge/errors'
import { tellForgottenUse } from '../../ts/tensor/forgotten_use'
import { assign, cat, grad, rand, repeat, sub, use } from '../../ts/tensor/functions'
import { int, plan } from '../../ts/tensor/plan'
import type { Tensor } from '../../ts/tensor/tensor'
import { FakeConnection } from './fake'

const fake = new FakeConnection()
const [a, b] = [fake.tensor(), fake.tensor()]
const generator = fake.generator()

/** Calls from plain JavaScript, where nobody checked the types. */
type Loose = Record<string, (...args: unknown[]) => Tensor>
const loose = (x: unknown): Loose => x as Loose

/** The error of tracing `body` with one tensor. */
function errorOf(body: (x: Tensor) => unknown): Error {
  try {
    plan('p', body as (x: Tensor) => Tensor)(a)
  } catch (error) {
    return error as Error
  }
  throw new Error('Expected the trace to be refused')
}

describe('a symbolic tensor has no value', () => {
  const why = /has no value while the plan is traced; \w/
  test.each<[string, (x: Tensor) => unknown]>([
    ['arithmetic', (x) => (x as unknown as number) + 1],
    ['comparison', (x) => (x as unknown as number) > 1],
    ['text', (x) => `${x as unknown as string}`],
    ['valueOf', (x): unknown => (x as unknown as number).valueOf()],
    ['JSON', (x) => JSON.stringify({ x })],
    ['spread', (x) => [...(x as unknown as Iterable<unknown>)]],
    [
      'destructuring',
      (x): unknown => {
        const [first] = x as unknown as unknown[]
        return first
      },
    ],
  ])('%s', (_name, body) => {
    expect(errorOf(body).message).toMatch(why)
  })

  test('await', async () => {
    const error = errorOf((x) => Promise.resolve(x).then((y) => y))
    expect(error.message).toMatch('Expected the function of plan "p" to be synchronous, got a promise')
    await new Promise(setImmediate)
  })

  test('but it can be looked at', () => {
    plan('seen', (x: Tensor) => {
      expect(inspect(x)).toMatch(/an input of plan "seen" \(traced at test\/tensor\/refusals\.test\.ts:\d+:\d+\)/)
      expect(inspect(x.neg())).toMatch(/the result of neg in plan "seen" \(test\/tensor\/refusals\.test\.ts:\d+:\d+\)/)
    })(a)
  })
})

describe('a tensor belongs to its trace', () => {
  let leaked: Tensor | undefined
  beforeEach(() => {
    plan('first', (x: Tensor) => {
      leaked = x.exp()
    })(a)
  })

  test('used after its trace', () => {
    expect(() => leaked!.add(1)).toThrow(
      /Expected add to be called inside the function of a plan, got the result of exp in plan "first" \(test\/tensor\/refusals\.test\.ts:\d+:\d+\), whose trace has ended; it was used at test\/tensor\/refusals\.test\.ts:\d+:\d+/,
    )
  })

  test('used in another trace', () => {
    const { message } = errorOf((x) => x.add(leaked!))
    expect(message).toMatch(
      /Expected values of the plan that is being traced \("p"\), got the result of exp in plan "first" \(test\S+\)/,
    )
    expect(message).toMatch(/in plan "p", op add +test\/tensor\/refusals\.test\.ts:\d+:\d+/)
  })

  test('used outside of the repeat that made it', () => {
    const { message } = errorOf((x) => {
      let inner: Tensor | undefined
      repeat(2, x, (c) => (inner = c.neg()))
      return inner
    })
    expect(message).toMatch('got the result of neg in plan "p"')
  })

  test('functions outside of any plan', () => {
    expect(() => rand([2], generator)).toThrow(
      'Expected rand to be called inside the function of a plan, got no plan being traced',
    )
    expect(() => use(a)).toThrow('Expected use to be called inside the function of a plan')
    expect(() => fake.model().call(a, { mode: 'eval' })).toThrow('Expected model.call to be called inside')
    expect(() => fake.optimizer(1).reset()).toThrow('Expected optimizer.reset to be called inside')
  })
})

describe('arguments of ops', () => {
  const options = 'dim, keepdim'
  test.each<[string, (x: Tensor) => unknown]>([
    ['Expected `other` of add to be a tensor or a number, got `"1"` (string)', (x) => loose(x).add!('1')],
    ['Expected `other` of add to be a tensor or a number, got `undefined` (undefined)', (x) => loose(x).add!()],
    ['Expected `other` of add to be a tensor or a number, got a handle (generator)', (x) => loose(x).add!(generator)],
    ['Expected `other` of matmul to be a tensor, got `2` (number)', (x) => loose(x).matmul!(2)],
    ['Expected `dim` of cumsum to be an integer, got `0.5` (number)', (x) => x.cumsum(0.5)],
    ['Expected `dim[1]` of sum to be an integer, got `0.5` (number)', (x) => x.sum({ dim: [0, 0.5] })],
    [`Expected the options of sum to be among ${options}, got \`dims\``, (x) => loose(x).sum!({ dims: 1 })],
    ['Expected the options of sum to be an object, got `1` (number)', (x) => loose(x).sum!(1)],
    ['Expected `keepdim` of sum to be a boolean, got `1` (number)', (x) => loose(x).sum!({ keepdim: 1 })],
    ['Expected `dtype` of to to be one of float32, float64,', (x) => loose(x).to!('float')],
    [
      'Expected `reduction` of cross_entropy to be one of mean, sum, none, got `"max"` (string)',
      (x) => loose(x).crossEntropy!(a, { reduction: 'max' }),
    ],
    [
      'Expected `generator` of rand_like to be a generator of the session, got `1` (number)',
      (x) => loose(x).randLike!(1),
    ],
    ['Expected `tensors[1]` of cat to be a tensor, got `1` (number)', (x) => cat([x, 1 as unknown as Tensor], 0)],
    [
      'Expected `tensors` of cat to be an array of tensors, got the result of',
      (x) => cat(x.neg() as unknown as Tensor[], 0),
    ],
    [
      'Expected `shape` of reshape to be an integer or an array of integers, got `"a"` (string)',
      (x) => loose(x).reshape!('a'),
    ],
    ['Expected sub to have a tensor among its arguments, got two numbers', () => sub(1, 2)],
  ])('%s', (message, body) => {
    const error = errorOf(body)
    expect(error.message).toContain(message)
    expect(error.name).toBe('PlanError')
    expect(error.message).toMatch(/in plan "p", op \w+ +test\/tensor\/refusals\.test\.ts:\d+:\d+/)
  })
})

describe('structural nodes', () => {
  test.each<[string, (x: Tensor) => unknown]>([
    [
      'Expected `wrt` of grad to be a result of leaf() or a parameter, got the result of neg in plan "p"',
      (x) => grad(x.sum(), x.neg()),
    ],
    ['Expected `wrt[1]` of grad to be a result of leaf()', (x) => grad(x.sum(), [x.leaf(), x.exp()])],
    ['got an input of a repeat body of plan "p"', (x) => repeat(2, x, (c) => grad(c.sum(), c))],
    ['Expected `wrt.w` to be a tensor, got `1` (number)', (x) => grad(x.sum(), { w: 1 as unknown as Tensor })],
    [
      'Expected `slot` of assign to be a tensor of the worker or an argument of the plan, got the result of exp',
      (x) => assign(x.exp(), x),
    ],
    ['Expected `slot` of assign to be a tensor of the worker', (x) => repeat(2, x, (c) => (assign(c, c), c))],
    ['Expected `value` to be a tensor, got `1` (number)', (x) => assign(x, 1 as unknown as Tensor)],
    ['Expected `times` of repeat to be an integer from 0, got `-1` (number)', (x) => repeat(-1, x, (c) => c)],
    ['Expected `times` of repeat to be an integer or a tensor, got `1.5` (number)', (x) => repeat(1.5, x, (c) => c)],
    [
      'Expected the body of repeat to give the structure of the carry, {"x":*}, got {"x":*,"y":*}',
      (x) => repeat(2, { x }, ({ x }) => ({ x, y: x })),
    ],
    [
      'Expected the carry.x that the body of repeat gives to be a tensor, got `1` (number)',
      (x) => repeat(2, { x }, () => ({ x: 1 as unknown as Tensor })),
    ],
    ['to have one gradient for each of the 2 parameters, got 1', (x) => fake.optimizer(2).step([x], 0.1)],
    [
      'Expected `mode` of call to be one of train, eval, got `"test"` (string)',
      (x) => fake.model().call(x, { mode: 'test' as 'eval' }),
    ],
    [
      'to have one value for each of the 1 names, got 0',
      (x) => fake.model().call(x, { mode: 'eval', parameters: { names: ['w'], values: [] } }),
    ],
    ['Expected the result.n of plan "p" to be a symbolic tensor, got `1` (number)', (x) => ({ x, n: 1 })],
    ['Expected the result of plan "p" to be a symbolic tensor, got `null` (null)', () => null],
  ])('%s', (message, body) => {
    expect(errorOf(body).message).toContain(message)
  })

  test('all handles of a plan live in one session', () => {
    const other = new FakeConnection().tensor()
    expect(errorOf((x) => x.add(b).add(other)).message).toMatch(
      /Expected all handles of plan "p" to live in one session, got tensor #1 of another/,
    )
  })

  test('a handle that was freed cannot be captured', () => {
    const gone = fake.tensor()
    gone.free()
    expect(errorOf((x) => x.add(gone)).message).toMatch(/Expected a live handle, got tensor #\d+, which was freed/)
  })
})

describe('calls of a plan', () => {
  const double = plan('double', (x: Tensor) => x.mul(2))
  const call = double as unknown as (...args: unknown[]) => unknown

  test('arguments are tensors or scalars', () => {
    expect(() => call('1')).toThrow(
      'Expected argument [0] of plan "double" to be a tensor of the worker, a number, int(n), a boolean',
    )
    expect(() => call({ x: null })).toThrow('Expected argument [0].x of plan "double"')
  })

  test('somebody has to say where it runs', () => {
    expect(() => double(1)).toThrow(
      'Expected plan "double" to have a tensor as an argument, to capture one, or the option `session`',
    )
  })

  test('int takes integers', () => {
    expect(() => int(0.5)).toThrow('Expected `n` of int to be an integer within 2^53, or a bigint, got `0.5` (number)')
    expect(() => int(2 ** 53)).toThrow('Expected `n` of int')
  })

  test('name and function', () => {
    expect(() => plan('', () => undefined)).toThrow('Expected `name` of plan to be a string that is not empty')
    expect(() => plan('x', 1 as unknown as () => undefined)).toThrow(
      'Expected `fn` of plan to be a function, got `1` (number)',
    )
  })

  test('an error inside the function leaves no trace open', () => {
    expect(() =>
      plan(
        'broken',
        () => {
          throw new Error('mine')
        },
        {},
      )(),
    ).toThrow('mine')
    expect(() => use(a)).toThrow('got no plan being traced')
  })
})

test('an op on a tensor of the worker says that `use` is missing', () => {
  tellForgottenUse()
  const tensor = loose(fake.tensor())
  expect(() => tensor['narrow']!(0, 0, 1)).toThrow(
    new PlanError(
      'Expected a tensor of a plan for `narrow`, got one of the worker: write use(tensor).narrow(…) inside a plan',
    ),
  )
  expect(tensor).not.toHaveProperty('then')
})
