/** Which layer a picture shows. */
import { chooseLayer } from '../../ts/cli/layer_choice'
import type { ModelDescription } from '../../ts/tensor/model'

const net = (prefix: string, members: number, out = 8): ModelDescription => ({
  ...{ name: 'net', options: {}, architecture: 'Net', members, buffers: [], trainable: 1 },
  parameters: Array.from({ length: members }, (_, k) =>
    (
      [
        ['conv1', [4, 3, 3, 3]],
        ['a', [out, 8, 3, 3]],
        ['b', [8, 8, 3, 3]],
        ['fc', [10, 8]],
      ] as const
    ).map(([name, shape]) => ({
      name: `${prefix}${prefix === '' ? '' : `${k}.`}${name}.weight`,
      shape,
      role: 'conv' as const,
    })),
  ).flat(),
})

test('by name, with or without member and suffix; the first member stands for all', () => {
  const models = [net('', 1), net('ensemble.', 2)]
  for (const layer of ['a', 'a.weight', 'ensemble.0.a.weight']) {
    expect(chooseLayer(models, { layer, layerSeed: 0 })).toMatchObject({
      title: 'a',
      names: ['a.weight', 'ensemble.0.a.weight'],
    })
  }
})

test('by seed: one of the largest that all share, the same for the same seed', () => {
  const titles = (models: ModelDescription[]): string[] =>
    Array.from({ length: 20 }, (_, layerSeed) => chooseLayer(models, { layerSeed }).title)
  expect(new Set(titles([net('', 1)]))).toEqual(new Set(['a', 'b']))
  expect(titles([net('', 1)])).toEqual(titles([net('', 1)]))
  expect(new Set(titles([net('', 1), net('', 1, 4)]))).toEqual(new Set(['b']))
})

test('an unknown name lists the known ones', () => {
  expect(() => chooseLayer([net('', 1)], { layer: 'fc', layerSeed: 0 })).toThrow(
    'Expected `--layer` to be one of conv1, a, b in Net, got `fc`',
  )
})
