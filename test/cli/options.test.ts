/** What the command line reads, and what it refuses in one sentence. */
import { imageDistance, names, number, seeds, wholeNumber } from '../../ts/cli/options'

test('a distance keeps its notation', () => {
  expect(imageDistance('0.031')).toEqual({ value: 0.031, notation: '0.031' })
  expect(imageDistance('8 / 255')).toEqual({ value: 8 / 255, notation: '8/255' })
})

test.each(['8', '-0.1', '8/', 'NaN', '', '1/0', '0.031 px'])('`%s` is no distance on the image scale', (text) => {
  expect(() => imageDistance(text)).toThrow(`Expected a distance in [0, 1] such as 0.031 or 8/255, got \`${text}\`.`)
})

test.each(['1.5', '-1', 'x', '', '1e3', '9007199254740993'])('`%s` is no whole number', (text) => {
  expect(() => wholeNumber(0)(text)).toThrow(`Expected a whole number of at least 0, got \`${text}\`.`)
})

test.each(['', ' ', 'x', 'Infinity', '2'])('`%s` is no number in [0, 1]', (text) => {
  expect(() => number(0, 1)(text)).toThrow(`Expected a number in [0, 1], got \`${text}\`.`)
})

test('lists are read once each, unknown names are refused with the known ones', () => {
  expect(seeds('0, 1,1')).toEqual([0, 1])
  expect(names(['fgsm', 'pgd'])('pgd,fgsm,pgd')).toEqual(['pgd', 'fgsm'])
  expect(() => names(['fgsm', 'pgd'])('fgsm,apgd')).toThrow('Expected names among fgsm, pgd, got `apgd`.')
})
