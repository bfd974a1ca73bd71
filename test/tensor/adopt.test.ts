/** Networks of the user in the ordinary worker. */
import { settle } from '../../bridge/options'
import { connect, type Session } from '../../ts/tensor/session'
import { adoptsLike, smallNet } from './adopt'

let session: Session
beforeAll(async () => {
  session = await connect({ device: 'cpu', threads: 1, allowImports: true })
})
afterAll(() => session.close())

adoptsLike(() => session)

test('a live object of Python is only taken by the embedded worker', async () => {
  await expect(session.call('model.adopt', { object: 1 })).rejects.toThrow('the number of a live object, got `1`')
})

test('a session without the permission imports nothing; only `true` is one', async () => {
  await using other = await connect({ device: 'cpu', threads: 1 })
  await expect(other.adopt(`${smallNet}:make`)).rejects.toThrow(
    'Expected permission to run Python code of yours (`allowImports: true` when connecting',
  )
  for (const allowImports of ['yes', 1, {}] as unknown as boolean[])
    expect(settle({ allowImports }).allowImports).toBe(false)
})
