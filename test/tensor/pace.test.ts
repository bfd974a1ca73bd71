/** A loop that stays a little ahead of the worker, with a fake worker that finishes when it is told to. */
import { inPace } from '../../ts/tensor/pace'
import type { Session } from '../../ts/tensor/session'

function fakeWorker() {
  const waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
  const session = {
    ready: () => Promise.resolve(),
    barrier: () => new Promise<void>((resolve, reject) => waiting.push({ resolve, reject })),
  } as unknown as Session
  return { session, waiting, turn: () => new Promise(setImmediate) }
}

test('at most `lead` iterations are under way, and progress counts what is finished', async () => {
  const { session, waiting, turn } = fakeWorker()
  const issued: number[] = []
  const done: number[] = []
  const loop = inPace(session, 5, (i) => issued.push(i), { lead: 2, onDone: (n) => done.push(n) })
  await turn()
  expect([issued, done]).toEqual([[0, 1], []])
  waiting.shift()!.resolve()
  await turn()
  expect([issued, done]).toEqual([[0, 1, 2], [1]])
  while (done.length < 5) {
    waiting.shift()!.resolve()
    await turn()
  }
  await loop
  expect([issued, done]).toEqual([
    [0, 1, 2, 3, 4],
    [1, 2, 3, 4, 5],
  ])
})

test('a stop ends the loop with its reason before the next iteration', async () => {
  const { session, waiting, turn } = fakeWorker()
  const stop = new AbortController()
  const reason = new Error('stop')
  const issued: number[] = []
  const loop = inPace(session, 5, (i) => issued.push(i), { lead: 1, signal: stop.signal })
  await turn()
  stop.abort(reason)
  waiting.shift()!.resolve()
  await expect(loop).rejects.toBe(reason)
  expect(issued).toEqual([0])
})

test('a worker that fails ends the loop with its error', async () => {
  const { session, waiting, turn } = fakeWorker()
  const loop = inPace(session, 5, () => undefined, { lead: 3 })
  await turn()
  const error = new Error('the worker ended')
  for (const { reject } of waiting) reject(error)
  await expect(loop).rejects.toBe(error)
})
