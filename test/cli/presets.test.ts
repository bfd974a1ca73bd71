/** The training presets and the table agree about the rows of each preset. */
import { rowOf } from '../../ts/cli/experiment'
import { tableNamed, tableNames } from '../../ts/cli/tables'
import { presets } from '../../ts/training/presets'

const table = tableNamed('sparsity-meets-robustness/table-2')

test.each(Object.values(presets))('preset $name trains exactly the rows of the table', ({ name, rows }) => {
  const identities = table.rows(name).map(({ network, method, hyper }) => ({ network, method, hyper }))
  expect(rows(0, 2).map(rowOf)).toEqual(identities)
})

test('an unknown table is refused with the known ones', () => {
  expect(tableNames()).toContain('sparsity-meets-robustness/table-2')
  expect(() => tableNamed('table-9')).toThrow(
    `Expected \`table\` to be one of ${tableNames().join(', ')}, got \`table-9\``,
  )
})
