/**
 * A worker that somebody started on this machine or another, over tcp. It stays when the session ends. Control is polled, because a
 * pending receive would keep a script alive that forgets `close()`.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Dealer } from 'zeromq'
import type { Approach } from '../approach'
import { parseAddress, type Address } from '../attach/address'
import { readClientKeys, type ClientKeys } from '../attach/keys'
import { controlSocket, TcpTransport } from '../attach/sockets'
import { FeynkacError } from '../errors'
import type { Exit, WorkerProcess } from '../launcher'
import { MESSAGE_BYTES } from '../options'
import { Outbox } from '../outbox'
import type { Transport } from '../transport'

/** Of the messages of attach (PROTOCOL.md). */
const ATTACH_VERSION = 1
const POLL_MS = 25
const STDERR_LINES = 200
/** How long a worker that was told to kill its process may take to say that it did. */
const KILL_MS = 2000
/** How long messages that were sent before the end may still be under way. */
const LAST_WORDS_MS = 500
/** A worker that is there answers at once; what takes long, the import of torch, comes later. */
const ANSWER_MS = 10_000

/** What the worker is asked to be. */
export interface Asked {
  readonly device: string
  /** As many as the worker has when absent. */
  readonly threads?: number
  readonly limits: Readonly<Record<string, number>>
  readonly allowImports: boolean
  readonly faults: boolean
}

interface Word {
  readonly opened?: { readonly token: string; readonly host: string; readonly pid: number }
  readonly refused?: string
  readonly log?: string
  readonly gone?: string
  readonly exit?: { readonly exitCode: number | null; readonly signal: string | null; readonly messages: number }
  readonly pong?: number
}

interface AttachOptions {
  readonly address: string
  readonly keys?: string
  readonly asked: Asked
  readonly silenceMs: number
  readonly onLog: (line: string) => void
}

class AttachedWorker implements WorkerProcess, Approach {
  readonly worker = this
  readonly exited: Promise<Exit>
  /** Of the process that works for this session. */
  pid: number | undefined
  private transport: TcpTransport | undefined
  private readonly socket: Dealer
  private readonly words: Outbox
  private readonly lastStderr: string[] = []
  private readonly listeners: ((answer: Readonly<Record<string, unknown>>) => void)[] = []
  private readonly opened: Promise<string>
  private open: (token: string) => void = () => undefined
  private end: (exit: Exit) => void = () => undefined
  private readonly timer: NodeJS.Timeout
  /** Address, and machine and process once they are known. */
  private where: string
  private heard = Date.now()
  private connected = false
  private greeted = false
  private polling = false
  private gone = false

  constructor(
    private readonly address: Address,
    private readonly keys: ClientKeys | undefined,
    private readonly options: AttachOptions,
  ) {
    this.where = address.text
    this.exited = new Promise((resolve) => (this.end = resolve))
    this.opened = new Promise((resolve) => (this.open = resolve))
    this.socket = controlSocket(address, keys)
    this.words = new Outbox((frames) => this.socket.send([...frames]))
    const open = JSON.stringify({ open: { attach: ATTACH_VERSION, ...options.asked } })
    void this.socket.send(open).then(
      () => (this.connected = true),
      () => undefined,
    )
    this.timer = setInterval(() => void this.poll(), POLL_MS)
  }

  async greet(hello: (token: string) => readonly Uint8Array[], signal: AbortSignal): Promise<Transport> {
    const token = await this.opened
    signal.throwIfAborted()
    this.transport = new TcpTransport(this.address, this.keys, token, MESSAGE_BYTES)
    await this.transport.sendFirst(hello(token))
    return this.transport
  }

  control(line: Readonly<Record<string, unknown>>): void {
    this.words.send([Buffer.from(JSON.stringify(line))])
  }

  onControl(listener: (answer: Readonly<Record<string, unknown>>) => void): void {
    this.listeners.push(listener)
  }

  /** The process that works for this session; the listening one stays. */
  kill(): void {
    if (!this.greeted) return this.finish({ lost: `The worker at ${this.where} was left before it answered` })
    this.control({ kill: true })
    setTimeout(() => this.lose('it did not answer'), KILL_MS).unref()
  }

  unref(): void {
    this.timer.unref()
  }

  abandon(): void {
    this.transport?.close()
  }

  private async poll(): Promise<void> {
    if (this.polling || this.gone) return
    this.polling = true
    try {
      // While a send waits for the connection, asking the socket for its state would take the news of the connection from it.
      // A message that waits is read before the clock is: a breakpoint in this process is no silence of the worker's.
      await this.drain()
      if (!this.gone) this.checkSigns()
    } catch (error) {
      this.lose(String(error))
    } finally {
      this.polling = false
    }
  }

  private async drain(): Promise<void> {
    while (this.connected && !this.gone && this.socket.readable) this.take(await this.socket.receive())
  }

  private checkSigns(): void {
    const silent = Date.now() - this.heard
    if (!this.greeted) {
      if (silent > ANSWER_MS) this.finish({ lost: this.unanswered(ANSWER_MS) })
    } else if (!this.socket.writable) this.lose('the connection broke')
    else if (silent > this.options.silenceMs) this.lose(`no heartbeat for ${this.options.silenceMs} ms`)
  }

  unanswered(ms: number): string | undefined {
    if (this.greeted) return undefined
    const keys = this.keys
      ? 'both sides know each other’s public keys'
      : 'it was started without keys, as this session was'
    return `Expected a worker at ${this.address.text} to answer within ${ms} ms, got silence; check that it runs and that ${keys}`
  }

  private take([frame]: Buffer[]): void {
    this.heard = Date.now()
    const word = JSON.parse(String(frame)) as Word
    if (word.opened) {
      this.greeted = true
      this.pid = word.opened.pid
      this.where = `${this.address.text} (${word.opened.host}, process ${word.opened.pid})`
      this.open(word.opened.token)
    } else if (word.refused !== undefined) this.finish({ lost: word.refused })
    else if (word.log !== undefined) this.logged(word.log)
    else if (word.gone !== undefined) this.lose(word.gone)
    else if (word.exit) void this.lastWords(word.exit)
    else if (word.pong !== undefined) for (const listener of this.listeners) listener({ ...word })
  }

  private logged(line: string): void {
    if (this.lastStderr.push(line) > STDERR_LINES) this.lastStderr.shift()
    this.options.onLog(line)
  }

  /** Commands and control are two connections: what was answered before the end may arrive behind it. */
  private async lastWords({ exitCode, signal, messages }: NonNullable<Word['exit']>): Promise<void> {
    const until = Date.now() + LAST_WORDS_MS
    while (this.transport && this.transport.received < messages && Date.now() < until) await delay(5)
    this.finish({ exitCode, signal })
  }

  private lose(why: string): void {
    this.finish({ lost: `The worker at ${this.where} is gone (${why})` })
  }

  private finish(exit: Partial<Exit>): void {
    if (this.gone) return
    this.gone = true
    clearInterval(this.timer)
    this.words.close()
    this.socket.close()
    const { lastStderr, where } = this
    this.end({ exitCode: null, signal: null, failure: null, lastStderr, where, ...exit })
  }
}

/** Asks a worker that listens for a session. Throws one sentence for an address or keys that will not do. */
export function attach(options: AttachOptions): Approach {
  const address = parseAddress(options.address)
  if (options.keys === undefined && !address.loopback) {
    throw new FeynkacError(
      `Expected \`keys\` for ${address.text}, which is not this machine (localhost, 127.0.0.0/8, ::1), got none`,
    )
  }
  return new AttachedWorker(address, options.keys === undefined ? undefined : readClientKeys(options.keys), options)
}
