import { difference, meanStd, wilson } from '../../ts/records/intervals'

// Reference values: roots of (1 + z^2/n) q^2 - (2p + z^2/n) q + p^2 = 0 (Wilson 1927), in Python's decimal with 30 digits.
test.each([
  [50, 100, 0.4038315, 0.5961685],
  [0, 10, 0, 0.2775328],
  [10, 10, 0.7224672, 1],
  [1, 10, 0.0178762, 0.40415],
  [786, 1000, 0.7595112, 0.8102999],
])('Wilson interval of %d of %d', (part, n, low, high) => {
  const interval = wilson(part, n)
  expect(interval.low).toBeCloseTo(low, 6)
  expect(interval.high).toBeCloseTo(high, 6)
})

test('the ends are exact at none and at all', () => {
  expect(wilson(0, 7).low).toBe(0)
  expect(wilson(7, 7).high).toBe(1)
})

test('the interval solves (p - q)^2 = z^2 q (1 - q) / n at both ends', () => {
  for (const [part, n] of [
    [3, 17],
    [500, 1000],
    [9999, 10000],
  ] as const) {
    for (const q of Object.values(wilson(part, n)) as number[]) {
      expect((part / n - q) ** 2).toBeCloseTo((1.959963984540054 ** 2 * q * (1 - q)) / n, 12)
    }
  }
})

test.each([
  [11, 10],
  [-1, 10],
  [0, 0],
  [NaN, 10],
])('%d of %d is refused', (part, n) => {
  expect(() => wilson(part, n)).toThrow(/^Expected `part` and `n` to satisfy 0 <= part <= n and n > 0, got /)
})

// Newcombe (1998), table II, case (a): 56/70 against 48/80, method 10: 0.0524 to 0.3339.
test('difference of two proportions', () => {
  const change = difference({ part: 48, n: 80 }, { part: 56, n: 70 })
  expect(change.value).toBeCloseTo(0.2, 12)
  expect(change.low).toBeCloseTo(0.0524, 4)
  expect(change.high).toBeCloseTo(0.3339, 4)
})

test('mean and standard deviation over seeds', () => {
  expect(meanStd([0.293, 0.329, 0.351])).toEqual({
    mean: expect.closeTo(0.324333, 6) as number,
    std: expect.closeTo(0.02928, 6) as number,
  })
  expect(meanStd([0.5])).toEqual({ mean: 0.5, std: null })
  expect(() => meanStd([])).toThrow('Expected `values` to hold at least one number, got none')
})
