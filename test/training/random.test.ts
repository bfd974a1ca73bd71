/** The order of the images belongs to TypeScript. */
import { epochOrder, splitImages } from '../../ts/training/split'
import { permutation, xoshiro128 } from '../../ts/training/random'
import { smokeConfig } from '../support/configs'

test('xoshiro128** gives the first outputs of its definition for the state 1, 2, 3, 4', () => {
  // Origin: the C reference by Blackman & Vigna, written again in Python.
  const next = xoshiro128([1, 2, 3, 4])
  expect(Array.from({ length: 6 }, next)).toEqual([11520, 0, 5927040, 70819200, 2031721883, 1637235492])
})

test('a permutation is one, depends on seed and stream, and never changes', () => {
  // Origin: the same definition written independently in Python; the order of every run depends on it.
  expect(permutation(10, 0, 1)).toEqual([0, 3, 5, 7, 9, 8, 4, 2, 1, 6])
  expect([...permutation(1000, 3, 7)].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  expect(permutation(100, 0, 1)).not.toEqual(permutation(100, 0, 2))
  expect(permutation(100, 0, 1)).not.toEqual(permutation(100, 1, 1))
})

test('every place is equally likely for the first image', () => {
  const counts = new Array<number>(8).fill(0)
  for (let stream = 0; stream < 4000; stream++) counts[permutation(8, 1, stream).indexOf(0)]! += 1
  // 500 expected, standard deviation 21.
  for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(105)
})

test('validation and training images are disjoint and follow the seed', () => {
  const config = smokeConfig()
  const changed = { ...config, images: 50, validation: { ...config.validation, count: 20 } }
  const split = splitImages(100, changed)
  expect(split.validation).toHaveLength(20)
  expect(split.training).toHaveLength(50)
  expect(new Set([...split.validation, ...split.training]).size).toBe(70)
  expect(splitImages(100, { ...changed, seed: 1 }).validation).not.toEqual(split.validation)
  expect([...epochOrder(split, 0, 3)].sort()).toEqual([...split.training].sort())
  expect(epochOrder(split, 0, 3)).not.toEqual(epochOrder(split, 0, 4))
})
