/** Errors must point at lines of the TypeScript files: traces of plans are read that way. */
interface Unneeded {
  readonly these: 'lines vanish'
  readonly when: 'types are stripped'
}

async function thrower(value?: Unneeded): Promise<never> {
  await Promise.resolve(value)
  throw new Error('here') // line 9
}

test('a stack names the line of the TypeScript source, also in an async function', async () => {
  const error = await thrower().catch((reason: unknown) => reason)
  expect((error as Error).stack).toMatch(/stack\.test\.ts:9:9/)
})
