import type { Handle } from '../../bridge/handle'
import { FeynkacError, ProtocolError } from '../../bridge/errors'
import { Command } from '../../bridge/messages'
import { connect } from './fake_worker'

const one = (handles: Handle[]): Handle => handles[0] as Handle

describe('ids', () => {
  test('are used again only after a command behind the FREE was acknowledged', async () => {
    const { fake, connection } = connect()
    const a = one(connection.run(1, [], 1))
    a.free()
    const b = one(connection.run(1, [], 1))
    expect(b.id).not.toBe(a.id)
    await connection.barrier()
    const c = one(connection.run(1, [], 1))
    expect(c.id).toBe(a.id)
    await connection.barrier()
    expect([...fake.env.keys()].sort()).toEqual([a.id, b.id])
  })

  test('a FREE at the end of a message waits for a later command', async () => {
    const { fake, connection } = connect()
    const a = one(connection.run(1, [], 1))
    await connection.barrier()
    a.free()
    await Promise.resolve()
    fake.release()
    const b = one(connection.run(1, [], 1))
    expect(b.id).not.toBe(a.id)
    await connection.barrier()
  })

  test('reach 2^32 - 1 and no further', async () => {
    const { fake, connection } = connect({ firstHandle: 0xffffffff })
    const last = one(connection.run(1, [], 1))
    expect(last.id).toBe(4294967295)
    expect(() => connection.run(1, [], 1)).toThrow(ProtocolError)
    expect(await connection.items([last])).toEqual([0])
    last.free()
    await connection.barrier()
    expect(one(connection.run(1, [], 1)).id).toBe(4294967295)
    await connection.barrier()
    expect(fake.env.size).toBe(1)
  })

  test('ten thousand rounds need a handful of ids', async () => {
    const { connection } = connect()
    let highest = 0
    for (let i = 0; i < 10_000; i++) {
      const handle = one(connection.run(1, [], 1))
      highest = Math.max(highest, handle.id)
      handle.free()
      if (i % 100 === 0) await connection.barrier()
    }
    await connection.barrier()
    expect(highest).toBeLessThanOrEqual(202)
    expect(connection.stats().handles).toBe(0)
  })
})

describe('freeing', () => {
  test('twice does nothing', async () => {
    const { fake, connection } = connect()
    const a = one(connection.run(1, [], 1))
    a.free()
    a.free()
    connection.free(a)
    await connection.barrier()
    expect(fake.seen.filter((item) => item[0] === Command.Free)).toEqual([[Command.Free, [a.id]]])
  })

  test('before the run was applied is fine', async () => {
    const { fake, connection } = connect()
    fake.held = true
    one(connection.run(1, [], 1)).free()
    const done = connection.barrier()
    fake.release()
    await done
    expect(fake.env.size).toBe(0)
  })

  test('use afterwards names the line that freed it', () => {
    const { connection } = connect()
    const a = one(connection.run(1, [], 1))
    a.free()
    expect(a.freed).toBe(true)
    expect(() => connection.run(1, [a], 1)).toThrow(
      /Expected a live handle, got tensor #1, freed at .*handles\.test\.ts:\d+:\d+/,
    )
  })

  test('`using` frees at the end of the block', () => {
    const { connection } = connect()
    let kept: Handle
    {
      using a = one(connection.run(1, [], 1))
      kept = a
      expect(kept.freed).toBe(false)
    }
    expect(kept.freed).toBe(true)
  })

  test('a handle of another session is refused', () => {
    const a = one(connect().connection.run(1, [], 1))
    expect(() => connect().connection.run(1, [a], 1)).toThrow(
      'Expected a handle of this session, got tensor #1 of another one',
    )
  })

  test('a handle cannot be serialised', () => {
    const a = one(connect().connection.run(1, [], 1))
    expect(() => JSON.stringify({ a })).toThrow(FeynkacError)
  })

  test('dropped handles are freed by a collection, live ones are not', async () => {
    const { fake, connection } = connect()
    const kept = one(connection.run(1, [], 1))
    for (let i = 0; i < 1000; i++) connection.run(1, [], 1)
    // Freed and used again: the finalizer of the first owner must not free the second.
    for (let i = 0; i < 100; i++) one(connection.run(1, [], 1)).free()
    await connection.barrier()
    const second = connection.run(1, [], 100)
    await connection.barrier()
    await connection.collect()
    await connection.barrier()
    expect(fake.env.has(kept.id)).toBe(true)
    for (const handle of second) expect(fake.env.has(handle.id)).toBe(true)
    expect(fake.env.size).toBeLessThan(150)
    expect(connection.stats().handles).toBe(fake.env.size)
  })

  test('many live handles force a collection', async () => {
    const { fake, connection } = connect()
    for (let i = 0; i < 120_000; i++) {
      connection.run(1, [], 1)
      await connection.ready()
    }
    await connection.barrier()
    expect(fake.env.size).toBeLessThan(110_000)
  })
})

describe('scopes', () => {
  test('free what was born inside, except what is returned or kept', async () => {
    const { connection } = connect()
    const before = one(connection.run(1, [], 1))
    let inside: Handle | undefined
    let kept: Handle | undefined
    const result = await connection.scope(async (scope) => {
      inside = one(connection.run(1, [], 1))
      await connection.barrier()
      kept = scope.keep(one(connection.run(1, [], 1)))
      return { list: [{ handle: one(connection.run(1, [], 1)) }] }
    })
    expect([before.freed, inside?.freed, kept?.freed, result.list[0]?.handle.freed]).toEqual([
      false,
      true,
      false,
      false,
    ])
  })

  test('parallel branches and nesting do not mix', async () => {
    const { connection } = connect()
    const outer: Handle[] = []
    const results = await connection.scope(async () =>
      Promise.all(
        [1, 2, 3].map((n) =>
          connection.scope(async () => {
            await connection.barrier()
            outer.push(one(connection.run(1, [], 1)))
            await connection.barrier()
            return one(connection.run(1, [['i', n]], 1))
          }),
        ),
      ),
    )
    expect(outer.map((h) => h.freed)).toEqual([true, true, true])
    expect(await connection.items(results)).toEqual([1, 2, 3])
  })

  test('what an inner scope returns belongs to the outer one', async () => {
    const { connection } = connect()
    let inner: Handle | undefined
    await connection.scope(async () => {
      inner = await connection.scope(() => one(connection.run(1, [], 1)))
      expect(inner.freed).toBe(false)
    })
    expect(inner?.freed).toBe(true)
  })

  test('an exception frees too', async () => {
    const { connection } = connect()
    let inside: Handle | undefined
    const scope = connection.scope(() => {
      inside = one(connection.run(1, [], 1))
      throw new Error('mine')
    })
    await expect(scope).rejects.toThrow('mine')
    expect(inside?.freed).toBe(true)
  })
})

test('the leak report groups by birth line', async () => {
  const log: string[] = []
  const { connection } = connect({ debug: true, onLog: (line) => log.push(line) })
  for (let i = 0; i < 3; i++) connection.run(1, [], 1)
  one(connection.run(1, [], 1)).free()
  await connection.close()
  expect(log.join('\n')).toMatch(/^3 handles were never freed:\n +3 {2}.*handles\.test\.ts:\d+:\d+$/)
})
