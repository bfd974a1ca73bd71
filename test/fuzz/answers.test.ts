/** A bounded run of the fuzzer for answers; `npm run fuzz` goes on for as long as asked. */
import { fuzzAnswers } from './answers'

test('a thousand mutated answers settle every promise with a value of its type or a FeynkacError', async () => {
  const { tried, findings, refused } = await fuzzAnswers(1, 1000)
  expect(findings).toEqual([])
  expect(tried).toBe(1000)
  expect(refused).toBeGreaterThan(100)
  expect(refused).toBeLessThan(1000)
})
