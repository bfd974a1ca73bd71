/** The selection of checks and the report of `npm test`. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { CHECKS, runChecks, select } from '../../setup/checks'
import { packageRoot } from '../../setup/environment'
import { complaint } from '../../setup/node_version'

const names = CHECKS.map(({ name }) => name)

test('everything runs by default, cheap checks first', () => {
  expect(names).toEqual(['prettier', 'ruff', 'build', 'tsc', 'eslint', 'mypy', 'pytest', 'jest'])
  expect(select([]).checks.map(({ name }) => name)).toEqual(names)
})

test('--only selects checks, in their usual order, and passes arguments on to a single one', () => {
  expect(select(['--only', 'jest,pytest']).checks.map(({ name }) => name)).toEqual(['pytest', 'jest'])
  expect(select(['--only', 'jest', '--', 'test/setup']).extra).toEqual(['test/setup'])
  expect(select(['--only', 'jest', 'test/setup']).extra).toEqual(['test/setup'])
})

test.each([
  [['--only', 'jset'], `Expected a check out of ${names.join(', ')}, got \`jset\`.`],
  [['--only'], `Expected \`--only NAME,NAME\` with names from ${names.join(', ')}, got \`--only\`.`],
  [['jest'], `Expected \`--only NAME,NAME\` with names from ${names.join(', ')}, got \`jest\`.`],
  [['--only', 'jest,pytest', 'x'], 'Expected one check when arguments for it follow, got `jest,pytest`.'],
])('refuses %j', (argv, message) => {
  expect(() => select(argv)).toThrow(message)
})

test('all checks run, each gets a line, and one failure fails the whole', () => {
  const exit = (code: number) => [[process.execPath, '-e', `process.exit(${code})`]]
  const check = (name: string, commands: string[][]) => ({ name, commands: () => commands })
  const run = (...checks: ReturnType<typeof check>[]) => {
    let text = ''
    const passed = runChecks({ checks, extra: [], root: '.', python: 'python', write: (part) => (text += part) })
    return { passed, text }
  }
  const mixed = run(check('first', exit(1)), check('second', exit(0)), check('third', [['/no/such/tool']]))
  expect(mixed.passed).toBe(false)
  expect(mixed.text).toMatch(
    /first +FAILED +\d+\.\d s\nsecond +ok +\d+\.\d s\nthird +FAILED +\d+\.\d s\n2 of 3 checks failed in/,
  )
  expect(mixed.text).toMatch(/\/no\/such\/tool could not be started \(spawnSync \/no\/such\/tool ENOENT\)/)
  expect(run(check('only', exit(0)))).toMatchObject({
    passed: true,
    text: expect.stringMatching(/all checks passed in/) as string,
  })
})

test('npm test refuses an unknown check before it sets anything up', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(packageRoot(), 'setup/test.js'), '--only', 'x'], {
    encoding: 'utf8',
  })
  expect(status).toBe(2)
  expect(stderr).toBe(`npm test: Expected a check out of ${names.join(', ')}, got \`x\`.\n`)
})

test('a Node.js that is too old is named', () => {
  expect(complaint('20.19.0')).toBeNull()
  expect(complaint('22.1.0')).toBeNull()
  expect(complaint('20.18.3')).toMatch(/^Expected Node\.js 20\.19 or newer, got 20\.18\.3; install it/)
  expect(complaint('18.20.4')).toMatch(/got 18\.20\.4/)
})
