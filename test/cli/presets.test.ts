/** Every row of every table can be trained under every preset, and a run finds its row again. */
import { cellOf, rowOf } from '../../ts/cli/rows'
import { tableNamed, tableNames } from '../../ts/cli/tables'
import { checkConfig } from '../../ts/training/check'
import { configure, presets } from '../../ts/training/presets'

describe.each(tableNames())('%s', (name) => {
  const table = tableNamed(name)

  test('knows all presets', () => expect(table.presets).toEqual(Object.keys(presets)))

  test.each(Object.values(presets))('its rows can be trained under $name', (preset) => {
    for (const { network, method, hyper } of table.rows(preset.name)) {
      const choice = { data: table.dataset, seed: 0, threads: 2 }
      const config = configure(preset, cellOf({ network, method, hyper }, preset.rho), choice)
      expect(checkConfig(config, preset.data[table.dataset].images)).toBe(config)
      expect(rowOf(config)).toEqual({ network, method, hyper })
    }
  })
})

test('an unknown table is refused with the known ones', () => {
  expect(tableNames()).toContain('sparsity-meets-robustness/table-2')
  expect(() => tableNamed('table-9')).toThrow(
    `Expected \`table\` to be one of ${tableNames().join(', ')}, got \`table-9\``,
  )
})
