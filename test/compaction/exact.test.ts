/** Removal is exact on random networks with random zeros, in integers: the second implementation of narrowing has to agree to the digit. */
import { planRemoval } from '../../ts/compaction/removal'
import { type Toy, graphOf, linksOf, narrow, prunedFurther, randomToy, resultOf, run, toyImage } from './toy'

const NETWORKS = 150

const agree = (one: Toy, other: Toy): boolean =>
  [1, 2, 3].every((draw) => {
    const image = toyImage(one, draw)
    return JSON.stringify(resultOf(one, image, draw)) === JSON.stringify(resultOf(other, image, draw))
  })

test.each([
  ['without noise', false, 0],
  ['with noise', true, 0],
  ['with a least share for selections', true, 0.5],
])('%s: the same result, at least one channel, and nothing more to remove', (_, noisy, least) => {
  const wrong: string[] = []
  const check = (seed: number, what: string, holds: boolean): void =>
    void (holds || wrong.push(`${what}, seed ${seed}`))
  let removed = 0
  for (let seed = 1; seed <= NETWORKS; seed++) {
    const toy = randomToy(seed, noisy)
    const { widths } = planRemoval(graphOf(toy), linksOf(toy), { least })
    const small = narrow(toy, widths)
    check(seed, 'another result', agree(toy, small))
    const pruned = prunedFurther(small, seed)
    const smaller = narrow(pruned, planRemoval(graphOf(pruned), linksOf(pruned), { least }).widths)
    check(seed, 'another result of a second removal', agree(pruned, smaller))
    const values = [...run(small, toyImage(toy, 1)).values()]
    check(
      seed,
      'a tensor without channels',
      values.every(({ length }) => length > 0),
    )
    removed += Object.keys(widths.layers).length
    const again = planRemoval(graphOf(small), linksOf(small), { least })
    check(seed, 'something left to remove', Object.keys(again.widths.layers).length === 0)
  }
  expect(wrong).toEqual([])
  expect(removed).toBeGreaterThan(NETWORKS)
})
