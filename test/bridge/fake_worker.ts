/**
 * A worker in memory that speaks the real bytes: handles hold numbers, RUN adds its arguments up, and a few bound ids misbehave.
 */
import { decodeHeader, encodeHeader, type Wire } from '../../bridge/codec'
import { Connection } from '../../bridge/connection'
import type { Exit, WorkerProcess } from '../../bridge/launcher'
import type { Started } from '../../bridge/lifecycle'
import { Answer, Command, type Welcome } from '../../bridge/messages'
import { settle, type ConnectionOptions } from '../../bridge/options'
import type { Transport } from '../../bridge/transport'

/** RUN of this bound id fails. */
export const FAILING = 666

interface Poison {
  readonly rootSeq: number
}

type Item = readonly Wire[]

const isPoison = (value: unknown): value is Poison => typeof value === 'object' && value !== null

export class FakeWorker implements Transport, WorkerProcess {
  readonly pid = 1
  readonly exited: Promise<Exit>
  /** Every command in the order of arrival. */
  readonly seen: Item[] = []
  readonly messages: number[] = []
  readonly controls: Readonly<Record<string, unknown>>[] = []
  readonly env = new Map<number, number | Poison>()
  readonly puts: Uint8Array[] = []
  killed = false
  /** While held, messages pile up unanswered. */
  held = false
  private readonly inbox: (readonly Uint8Array[])[] = []
  private readonly outbox: (readonly Uint8Array[])[] = []
  private lastSeq = 1
  private scheduled = false
  private waiting: { resolve(frames: readonly Uint8Array[]): void; reject(error: Error): void } | undefined
  private end: (exit: Exit) => void = () => undefined

  constructor() {
    this.exited = new Promise((resolve) => (this.end = resolve))
  }

  /** True while the client listens. */
  get listening(): boolean {
    return this.waiting !== undefined
  }

  send(frames: readonly Uint8Array[]): void {
    this.inbox.push(frames)
    if (this.held || this.scheduled) return
    this.scheduled = true
    setImmediate(() => {
      this.scheduled = false
      this.work()
    })
  }

  receive(): Promise<readonly Uint8Array[]> {
    const next = this.outbox.shift()
    if (next) return Promise.resolve(next)
    if (this.waiting) throw new Error('EBUSY')
    return new Promise((resolve, reject) => (this.waiting = { resolve, reject }))
  }

  close(): void {
    this.waiting?.reject(new Error('EAGAIN'))
    this.waiting = undefined
  }

  control(line: Readonly<Record<string, unknown>>): void {
    this.controls.push(line)
  }

  onControl(): void {}

  unref(): void {}

  kill(): void {
    this.killed = true
    this.exit({ signal: 'SIGKILL' })
  }

  exit(exit: Partial<Exit>): void {
    this.end({ exitCode: null, signal: null, failure: null, lastStderr: [], ...exit })
  }

  release(): void {
    this.held = false
    this.work()
  }

  /** Sends raw frames as an answer. */
  answer(frames: readonly Uint8Array[]): void {
    const { waiting } = this
    this.waiting = undefined
    if (waiting) waiting.resolve(frames)
    else this.outbox.push(frames)
  }

  private work(): void {
    while (!this.held && this.inbox.length > 0) {
      const [header, ...payloads] = this.inbox.shift() as Uint8Array[]
      const items = decodeHeader(header as Uint8Array)
      this.messages.push(items.length)
      const answers: unknown[] = []
      for (const item of items) answers.push(...this.apply(item, payloads))
      this.answer([encodeHeader([...answers, [Answer.Ack, this.lastSeq]])])
    }
  }

  private apply(item: Item, payloads: readonly Uint8Array[]): unknown[] {
    this.seen.push(item)
    const [kind, seq] = item as [number, number]
    if (kind !== Command.Free) this.lastSeq = seq
    switch (kind) {
      case Command.Put:
        this.bind(item[2] as number, 1)
        this.puts.push(payloads[item[3] as number] as Uint8Array)
        return []
      case Command.Run:
        return this.run(item, seq)
      case Command.Free:
        for (const id of item[1] as number[])
          if (!this.env.delete(id)) throw new Error(`freed ${id}, which was not bound`)
        return []
      case Command.Get: {
        const values = (item[3] as number[]).map((id) => this.env.get(id))
        const poison = values.find(isPoison)
        return [poison ? [Answer.Err, seq, this.error(poison.rootSeq)] : [Answer.Ok, seq, values]]
      }
      case Command.Call:
        if (item[2] === 'refuse')
          return [[Answer.Err, seq, { ...this.error(seq), class: 'ServiceError', message: 'Expected better' }]]
        for (const id of item[5] as number[]) this.bind(id, 0)
        return [[Answer.Ok, seq, item[3]]]
      case Command.Bye:
        setImmediate(() => this.exit({ exitCode: 0 }))
        return [[Answer.Ok, seq, null]]
      default:
        return kind === Command.Barrier ? [[Answer.Ok, seq, null]] : []
    }
  }

  private run(item: Item, seq: number): unknown[] {
    const args = (item[3] as Wire[]).map((arg) =>
      typeof arg === 'number' ? this.env.get(arg) : Number((arg as Wire[])[1]),
    )
    const poison = args.find(isPoison)
    const root = poison?.rootSeq ?? (item[2] === FAILING ? seq : undefined)
    const value = root === undefined ? (args as number[]).reduce((a, b) => a + b, 0) : { rootSeq: root }
    for (const id of item[4] as number[]) this.bind(id, value)
    return root === seq ? [[Answer.Err, seq, this.error(seq)]] : []
  }

  private bind(id: number, value: number | Poison): void {
    if (this.env.has(id)) throw new Error(`bound ${id} twice`)
    this.env.set(id, value)
  }

  private error(rootSeq: number): Record<string, unknown> {
    return {
      class: 'TorchOpError',
      message: 'mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)',
      rootSeq,
      plan: 'pgdStep',
      op: 'matmul',
      node: 3,
      loc: 'script.ts:31:41',
      inputs: ['a: float32[2, 3]', 'b: float32[2, 3]'],
      traceback: 'Traceback (most recent call last):\n  RuntimeError\n',
    }
  }
}

const welcome: Welcome = {
  protocol: [1, 0],
  opTableHash: '',
  torch: '',
  python: '',
  numpy: '',
  zmq: '',
  device: 'cpu',
  deviceName: 'cpu',
  cuda: null,
  threads: 1,
  pid: 1,
}

/** A connection over a fake worker, past its handshake. */
export function connect({ firstHandle, ...options }: ConnectionOptions & { firstHandle?: number } = {}): {
  fake: FakeWorker
  connection: Connection
} {
  const fake = new FakeWorker()
  const settings = settle({ threads: 1, onLog: () => undefined, ...options })
  const started: Started = {
    transport: fake,
    worker: fake,
    settings,
    welcome,
    lastSeq: 1,
    firstHandle,
  }
  return { fake, connection: new Connection(started) }
}
