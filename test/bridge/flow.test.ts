import type { Wire } from '../../bridge/codec'
import { BackpressureError, ProtocolError } from '../../bridge/errors'
import { Command } from '../../bridge/messages'
import { type ConnectionOptions, settle } from '../../bridge/options'
import { HARD_LIMIT, WINDOW } from '../../bridge/queue'
import { connect } from './fake_worker'

const kinds = (items: readonly (readonly Wire[])[]): Wire[] => items.map((item) => item[0] as Wire)

describe('batches', () => {
  test('commands of one tick travel in one message', async () => {
    const { fake, connection } = connect()
    for (let i = 0; i < 5; i++) connection.run(1, [['f', i]], 1)
    expect(fake.messages).toEqual([])
    await connection.barrier()
    expect(fake.messages).toEqual([6])
  })

  test('a microtask sends what nobody waits for', async () => {
    const { fake, connection } = connect()
    connection.run(1, [], 0)
    await Promise.resolve()
    fake.release()
    expect(fake.messages).toEqual([1])
  })

  test('the 256th command is sent inside run()', () => {
    const { fake, connection } = connect()
    for (let i = 0; i < 255; i++) connection.run(1, [], 0)
    expect(connection.stats().messages).toBe(0)
    connection.run(1, [], 0)
    expect(connection.stats().messages).toBe(1)
    fake.release()
    expect(fake.messages).toEqual([256])
  })

  test('the order of commands is the order of calls, also from many tasks', async () => {
    const { fake, connection } = connect()
    await Promise.all(
      Array.from({ length: 50 }, async (_, task) => {
        for (let i = 0; i < 20; i++) {
          const [h] = connection.run(1, [['i', task]], 1)
          expect(await connection.items([h!])).toEqual([task])
          h!.free()
        }
      }),
    )
    await connection.barrier()
    const seqs = fake.seen.filter((item) => item[0] !== Command.Free).map((item) => item[1])
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, i) => i + 2))
    expect(fake.env.size).toBe(0)
  })
})

describe('window', () => {
  test('a hot loop never has more than a window on the wire, and every command arrives once', async () => {
    const { fake, connection } = connect()
    fake.held = true
    for (let i = 0; i < 3 * WINDOW; i++) connection.run(1, [], 0)
    await Promise.resolve()
    expect(connection.stats().messages).toBe(WINDOW / 256)
    fake.release()
    await connection.barrier()
    expect(fake.seen.length).toBe(3 * WINDOW + 1)
    expect(connection.stats().acknowledged).toBe(3 * WINDOW + 2)
  })

  test('beyond the hard limit run() throws with advice, and ready() clears it', async () => {
    const { fake, connection } = connect()
    fake.held = true
    const flood = (): void => {
      for (let i = 0; i <= HARD_LIMIT; i++) connection.run(1, [], 0)
    }
    expect(flood).toThrow(BackpressureError)
    expect(flood).toThrow('put `await session.ready()` into the loop')
    const ready = connection.ready()
    fake.release()
    await ready
    expect(() => connection.run(1, [], 0)).not.toThrow()
    await connection.barrier()
    expect(fake.seen.length).toBe(HARD_LIMIT + 2)
  })

  test('a loop that awaits ready() runs for ever in bounded memory', async () => {
    const { fake, connection } = connect()
    let most = 0
    for (let i = 0; i < 20_000; i++) {
      connection.run(1, [], 0)
      await connection.ready()
      most = Math.max(most, connection.stats().commands - connection.stats().acknowledged)
    }
    await connection.barrier()
    expect(most).toBeLessThanOrEqual(WINDOW)
    expect(fake.seen.length).toBe(20_001)
  })

  test('payloads are limited in bytes too', async () => {
    const { fake, connection } = connect()
    fake.held = true
    const big = new Uint8Array(100 * 2 ** 20)
    for (let i = 0; i < 5; i++) connection.put(big, 'uint8', [big.length], { transfer: true })
    await Promise.resolve()
    expect(connection.stats().wireBytes).toBeLessThan(400 * 2 ** 20)
    fake.release()
    await connection.barrier()
    expect(fake.puts.length).toBe(5)
  })
})

describe('listening', () => {
  test('stops when nothing is due, so that the process can end', async () => {
    const { fake, connection } = connect()
    expect(fake.listening).toBe(false)
    connection.run(1, [], 0)
    await Promise.resolve()
    expect(fake.listening).toBe(true)
    await connection.barrier()
    expect(fake.listening).toBe(false)
  })

  test('a message that breaks the protocol ends the connection', async () => {
    const { fake, connection } = connect()
    fake.held = true
    const read = connection.barrier()
    fake.answer([Buffer.from('c1', 'hex')])
    await expect(read).rejects.toThrow(ProtocolError)
    expect(fake.killed).toBe(true)
    expect(() => connection.run(1, [], 0)).toThrow(ProtocolError)
  })
})

describe('values', () => {
  test('bytes that change after put() do not change what was sent', async () => {
    const { fake, connection } = connect()
    const data = new Float32Array([1, 2, 3])
    connection.put(new Uint8Array(data.buffer), 'float32', [3])
    data.fill(9)
    await connection.barrier()
    expect([...new Float32Array(new Uint8Array(fake.puts[0]!).buffer)]).toEqual([1, 2, 3])
  })

  test('arguments are written with their kind', async () => {
    const { fake, connection } = connect()
    const a = connection.put(new Uint8Array(4), 'float32', [])
    connection.run(3, [a, [a, a], ['f', 1], ['f', -0], ['i', 2 ** 40], ['b', true], []], 0, undefined, 1)
    await connection.barrier()
    expect(fake.seen[1]).toEqual([
      Command.Run,
      3,
      3,
      [1, ['l', [1, 1]], ['f', 1], ['f', '-0'], ['i', '1099511627776'], ['b', true], ['l', []]],
      [],
      1,
    ])
    expect(kinds(fake.seen)).toEqual([Command.Put, Command.Run, Command.Barrier])
  })

  test('a raw number is no argument', () => {
    const { connection } = connect()
    expect(() => connection.run(1, [5 as never], 0)).toThrow(
      'Expected an argument to be a handle, a list of handles or a tagged scalar',
    )
  })

  test('a refused argument leaves no half command behind', async () => {
    const { fake, connection } = connect()
    expect(() => connection.run(1, [['i', 0.5]], 1)).toThrow(ProtocolError)
    expect(() => connection.call('x', { a: undefined }, [], 1)).toThrow(ProtocolError)
    await connection.barrier()
    expect(kinds(fake.seen)).toEqual([Command.Barrier])
    expect(connection.stats().handles).toBe(0)
  })

  test('a tensor beyond the limit is refused here', () => {
    const { connection } = connect({ tensorBytes: 8 })
    expect(() => connection.put(new Uint8Array(9), 'uint8', [9])).toThrow('Expected a tensor of at most 8 bytes, got 9')
  })
})

test('an option that connect does not know is refused with the known ones', () => {
  const misspelt = { devise: 'cpu' } as ConnectionOptions
  expect(() => settle(misspelt)).toThrow(
    /^Expected the options of connect to be among device, threads, .*, got `devise`$/,
  )
})
