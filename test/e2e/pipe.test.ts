/** A reader that leaves early, as `| head -1` does. */
import { start } from './command_line'

test('a reader that is gone is no failure, and does not end what runs', async () => {
  const { child, finished } = start(['reproduce', '--help'])
  child.stdout!.destroy()
  expect(await finished).toMatchObject({ code: 0, signal: null, stdout: '', stderr: '' })
})
