/**
 * Lists of norms in the format of the published scripts. The lists here are made up; those that the authors released
 * come out at the same counts (benchmarks/results/released-norms.json).
 */
import { parseNormList, weightsInZeroChannels, ZERO_NORM, zeroNorms } from '../../ts/records/norms'
import { ZERO_NORM as PENALTY_ZERO_NORM } from '../../ts/penalties/shared/groups'
import { normList } from './norm_lists'

test.each([30, 171])('%i zeros of the 675 input channels of a ResNet20', (zeros) => {
  const layers = parseNormList(normList(zeros))
  const norms = layers.flatMap((layer) => layer.norms)
  expect(layers).toHaveLength(21)
  expect(zeroNorms(norms)).toEqual({ zero: zeros, total: 675 })
  expect(layers[9]).toMatchObject({ name: 'ensemble.0.layer2.0.downsample.0.weight', shape: [32, 16, 1, 1] })
  expect(weightsInZeroChannels(layers)?.total).toBe(270_256)
})

test('zero is a norm below 1e-15, as in the penalties', () => {
  expect(zeroNorms([0, 9.9e-16, 1e-15, 9.2574865e-15])).toEqual({ zero: 2, total: 4 })
  expect(ZERO_NORM).toBe(PENALTY_ZERO_NORM)
})

test('weights in zero channels are counted with the size of their layer', () => {
  const layers = parseNormList('a\nsz:[4, 2, 3, 3]\n[0. 1.]\nb\nsz:[8, 3, 1, 1]\n[0. 0. 2.]\n')
  expect(weightsInZeroChannels(layers)).toEqual({ zero: 4 * 9 + 2 * 8, total: 2 * 4 * 9 + 3 * 8 })
  expect(weightsInZeroChannels(parseNormList('a\n[0. 1.]'))).toBeNull()
})

test.each<[string, string, readonly number[]]>([
  ['numpy with exponents over several lines', 'a\nsz:[1, 3, 1, 1]\n[1.0e-03 2.e+00\n 0.00000000e+00]', [0.001, 2, 0]],
  ['carriage returns', 'a\r\nsz:[1, 2, 1, 1]\r\n[1. 2.]\r\n', [1, 2]],
  [
    'commas, torch.Size and no final newline',
    'accuracy: 76.1\na.weight\nsize: torch.Size([1, 2, 1, 1])\n[1, 2 ]',
    [1, 2],
  ],
  ['neither name nor size', '[0.5\n0.25]', [0.5, 0.25]],
])('%s', (_, text, norms) => {
  expect(parseNormList(text).flatMap((layer) => layer.norms)).toEqual(norms)
})

test.each([
  ['', 'Expected `list` to hold lists of channel norms, got none'],
  ['a\n[1. nan]', 'Expected the list that begins at `list:2` to hold finite norms of at least 0, got `nan`'],
  ['a\n[1. -2.]', 'got `-2.`'],
  ['a\n[1. ... 2.]', 'to hold all norms (numpy has shortened it: np.set_printoptions(threshold=np.inf)), got `...`'],
  ['a\nsz:[4, 3, 1, 1]\n[1. 2.]', 'begins at `list:3` to hold 3 norms, one an input channel of [4, 3, 1, 1], got 2'],
  ['a\nsz:[4, 3]\n[1. 2. 3.]', 'Expected `list:2` to be the size [out, in, height, width] of a convolution'],
  ['a\n[1. 2.', 'Expected the list that begins at `list:2` to end with `]`, got none'],
  ['<html>', 'Expected `list:1` to be a name, a size or a list of norms, got `<html>`'],
])('%j is refused in one sentence', (text, message) => {
  expect(() => parseNormList(text)).toThrow(message)
})
