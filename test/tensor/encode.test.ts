/** Plan bytes and their hash. */
import { encodeCode, encodePlan, hashPlan } from '../../ts/tensor/encode'
import { assign, repeat } from '../../ts/tensor/functions'
import type { Plan } from '../../ts/tensor/level'
import { tracePlan } from '../../ts/tensor/trace_plan'
import type { Tensor } from '../../ts/tensor/tensor'
import { FakeConnection } from './fake'

const slot = new FakeConnection().tensor()

function body(x: Tensor, lr: Tensor): Tensor {
  const end = repeat(2, x, (c, i) => c.add(i).mul(lr))
  assign(slot, end)
  return end.clamp(-0.5, 1)
}

/** The same plan with locations that do not move when this file is edited. */
function fixed(): Plan {
  let line = 0
  const place = (level: Plan): Plan => ({
    ...level,
    nodes: level.nodes.map((node) => ({
      ...node,
      loc: `a.ts:${++line}:1`,
      args: node.args.map((arg) => (arg[0] === 'p' ? ['p', place(arg[1] as Plan)] : arg) as typeof arg),
    })),
  })
  return place(tracePlan('tiny', body, [slot, 0.1]).plan)
}

/*
 * Origin: the plan written out by hand from PROTOCOL.md, with op indices looked up in ops.json, and packed with Python's msgpack, not by
 * this package. `l(k)` is [k] with locations, [] in the hashed part:
 *   body  = ["p", [["tensor", "scalar", "scalar"],
 *                  [[add, [["v", 0], ["v", 1]], *l(1)], [mul, [["v", 3], ["v", 2]], *l(2)]], [4]]]
 *   nodes = [[repeat, [["i", 2], body, ["l", [["v", 0]]], ["l", [["v", 1]]]], *l(0)], [get, [["v", 3], ["i", 0]], *l(3)],
 *            [assign, [["v", 2], ["v", 4]], *l(4)], [clamp, [["v", 4], ["f", -0.5], ["i", 1]], *l(5)]]
 *   [1, ["tensor", "scalar", "tensor"], nodes, [6], "tiny", ["a.ts:1:1", …, "a.ts:6:1"]]
 */
const BYTES =
  '960193a674656e736f72a67363616c6172a674656e736f729493639492a1690292a1709393a674656e736f72a67363616c6172a67363616c61729293009292a1760092a176010193029292a1760392a1760202910492a16c9192a1760092a16c9192a1760100935f9292a1760392a169000393649292a1760292a1760404931d9392a1760492a166cbbfe000000000000092a16901059106a474696e7996a8612e74733a313a31a8612e74733a323a31a8612e74733a333a31a8612e74733a343a31a8612e74733a353a31a8612e74733a363a31'
const CODE =
  '940193a674656e736f72a67363616c6172a674656e736f729492639492a1690292a1709393a674656e736f72a67363616c6172a67363616c61729292009292a1760092a1760192029292a1760392a17602910492a16c9192a1760092a16c9192a17601925f9292a1760392a1690092649292a1760292a17604921d9392a1760492a166cbbfe000000000000092a169019106'
const HASH = '9171d2ff37329ff5d1d3af4abaa2827ea00e5942ca82994e8f9e0760ee2fcf96'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('the bytes of a plan are those of PROTOCOL.md', () => {
  expect(hex(encodePlan(fixed()))).toBe(BYTES)
})

test('the hash covers the code, without name and locations', () => {
  expect(hex(encodeCode(fixed()))).toBe(CODE)
  expect(hashPlan(fixed())).toBe(HASH)
  expect(hashPlan(tracePlan('another name', body, [slot, 0.1]).plan)).toBe(HASH)
})

test('a location that occurs twice is written once', () => {
  const add = (x: Tensor): Tensor => x.add(1)
  const twice = encodePlan(tracePlan('twice', (x: Tensor) => add(add(x)), [slot]).plan)
  expect(
    Buffer.from(twice)
      .toString('latin1')
      .match(/encode\.test\.ts/g),
  ).toHaveLength(1)
})

test('numbers keep their nature: integers, floats, -0, NaN, infinities, wide integers', () => {
  const numbers = [1, 1.5, -0, NaN, Infinity, -Infinity, 2 ** 40, 2 ** 53, 0.1]
  const { plan } = tracePlan('numbers', (x: Tensor) => numbers.map((n) => x.mul(n)), [slot])
  expect(plan.nodes.map(({ args }) => args[1])).toEqual([
    ['i', 1],
    ['f', 1.5],
    ['f', '-0'],
    ['f', NaN],
    ['f', Infinity],
    ['f', -Infinity],
    ['i', '1099511627776'],
    ['f', 2 ** 53],
    ['f', 0.1],
  ])
})
