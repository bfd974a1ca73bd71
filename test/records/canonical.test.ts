import { canonicalJson, configHash } from '../../ts/records/canonical'

const config = {
  seed: 0,
  network: { name: 'resnet8', options: { width: 16, skip: true } },
  breakpoints: [0.6, 0.8],
  limit: null,
}

test('keys are sorted at every depth, arrays keep their order', () => {
  expect(canonicalJson({ b: [2, { d: 1, c: 'x' }], a: null })).toBe('{"a":null,"b":[2,{"c":"x","d":1}]}')
})

test('the hash does not depend on the order of keys', () => {
  const reordered = {
    limit: null,
    breakpoints: [0.6, 0.8],
    network: { options: { skip: true, width: 16 }, name: 'resnet8' },
    seed: 0,
  }
  expect(configHash(reordered)).toBe(configHash(config))
})

test('the hash is that of SHA-256, so it is stable across versions', () => {
  // printf '{"a":1}' | sha256sum
  expect(configHash({ a: 1 })).toBe('015abd7f5cc57a2d')
})

/** Every leaf and every array position of a value, as paths. */
function leaves(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([key, item]) => leaves(item, [...path, key]))
}

function replaced(value: unknown, [key, ...rest]: (string | number)[]): unknown {
  if (key === undefined) return 'changed'
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<string, unknown>
  copy[key] = replaced(copy[key], rest)
  return copy
}

test('the hash depends on every field', () => {
  const paths = leaves(config)
  expect(paths).toHaveLength(7)
  const hashes = paths.map((path) => configHash(replaced(config, path) as Record<string, unknown>))
  expect(new Set([configHash(config), ...hashes]).size).toBe(paths.length + 1)
  expect(configHash({ ...config, extra: null })).not.toBe(configHash(config))
})

test.each([[NaN], [Infinity], [undefined], [() => 1], [new Date(0)], [10n]])(
  '%p is refused, never dropped',
  (value) => {
    expect(() => canonicalJson({ a: [value] })).toThrow(
      /^Expected `config\.a\[0\]` to be a value that JSON can hold, got /,
    )
  },
)
