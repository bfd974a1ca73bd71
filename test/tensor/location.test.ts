/** Which line a node is said to come from. */
import { join } from 'node:path'
import craftLike from './support/library'
import { location } from '../../ts/tensor/location'
import { tracePlan } from '../../ts/tensor/trace_plan'
import type { Tensor } from '../../ts/tensor/tensor'
import { FakeConnection } from './fake'

const locs = (fn: (x: Tensor) => Tensor) =>
  tracePlan('p', fn, [new FakeConnection().tensor()]).plan.nodes.map(({ loc }) => loc)
const here = 'test/tensor/location.test.ts'

test('each method of a chain has its own column', () => {
  const found = locs((x) => {
    const sum = x.add(1)
    return sum.mul(2).neg()
  })
  const [first] = found
  const line = Number(first!.split(':')[1])
  expect(found).toEqual([`${here}:${line}:19`, `${here}:${line + 1}:16`, `${here}:${line + 1}:23`])
})

test('library code above this layer counts: its own line is named', () => {
  expect(locs((x) => craftLike(x))).toEqual([expect.stringMatching(/^test\/tensor\/support\/library\.ts:5:\d+$/)])
})

test('deep recursion above the call does not matter', () => {
  const deep = (x: Tensor, n: number): Tensor => (n === 0 ? x.exp() : deep(x, n - 1))
  expect(locs((x) => deep(x, 200))[0]).toMatch(new RegExp(`^${here}:\\d+:\\d+$`))
})

test('a file outside of the working directory keeps its whole path', () => {
  const before = process.cwd()
  try {
    process.chdir(join(__dirname, 'support'))
    expect(location()).toMatch(/^\/.*test\/tensor\/location\.test\.ts:\d+:\d+$/)
  } finally {
    process.chdir(before)
  }
})
