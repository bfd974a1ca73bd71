/** What every symbolic tensor is, apart from its methods: a value of a plan that has no number yet. */
import { PlanError } from '../../bridge/errors'
import type { Value } from './value'

let read: (symbolic: Symbolic) => Value

/** The base of `Tensor`. It has no value while a plan is traced, so everything that would need one is refused. */
export abstract class Symbolic {
  readonly #value: Value

  static {
    read = (symbolic) => symbolic.#value
  }

  constructor(value: Value) {
    this.#value = value
  }
}

/** The value behind a symbolic tensor. */
export const valueOf = (symbolic: Symbolic): Value => read(symbolic)

const refuse = (use: string, advice: string) =>
  function (): never {
    throw new PlanError(
      `Expected operations on a symbolic tensor, got ${use}: it has no value while the plan is traced; ${advice}`,
    )
  }

const number = refuse(
  'a conversion to a number or string',
  'use its methods (`x.gt(0)`, `x.where(mask, 0)`), or read a result of the plan with `await result.item()`',
)

// Defined here and not in the class: a declared iterator would make `const [a] = x` type-check.
Object.defineProperties(Symbolic.prototype, {
  valueOf: { value: number },
  toString: { value: number },
  [Symbol.toPrimitive]: { value: number },
  toJSON: { value: refuse('JSON.stringify', 'return it from the plan and read the result') },
  [Symbol.iterator]: {
    value: refuse(
      'an iteration or a spread',
      'take slices with `x.select(dim, index)` or `x.narrow(dim, start, length)`',
    ),
  },
  then: { get: refuse('an await', 'the function of a plan is synchronous; use `x.print(label)` to see values') },
  [Symbol.for('nodejs.util.inspect.custom')]: {
    value(this: Symbolic) {
      return read(this).describe()
    },
  },
})
