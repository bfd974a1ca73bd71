/**
 * Mutated answers of a worker against the connection: whatever comes, every promise settles with a value of its type or a
 * FeynkacError, and nothing is thrown elsewhere. The mutations come from mutate.py, the only place that makes any.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { encodeHeader } from '../../bridge/codec'
import { FeynkacError } from '../../bridge/errors'
import { Answer } from '../../bridge/messages'
import { findPython } from '../../setup/environment'
import { connect } from '../bridge/fake_worker'

/** Commands 2 (PUT), 3 (read of numbers), 4 (read of tensors), 5 (service) and 6 (barrier) are under way. */
const ERROR = {
  class: 'TorchOpError',
  message: 'shapes cannot be multiplied',
  rootSeq: 3,
  plan: 'step',
  op: 'matmul',
  node: 3,
  loc: 'script.ts:31:41',
  inputs: ['a: float32[2, 3]'],
  traceback: 'Traceback',
}
const GOOD = [
  [Answer.Ok, 3, [0.5]],
  [Answer.Ok, 4, [['float32', [2], 0]]],
  [Answer.Ok, 5, { seconds: 1 }],
  [Answer.Ok, 6, null],
  [Answer.Ack, 6],
]
const HEADERS = [
  GOOD,
  [
    [Answer.Err, 3, ERROR],
    [Answer.Ack, 3],
  ],
  [[Answer.Err, 2, { ...ERROR, rootSeq: 2 }], ...GOOD],
]

export interface Outcome {
  readonly tried: number
  /** Inputs in hex, with what went wrong. */
  readonly findings: { readonly input: string; readonly problem: string }[]
  /** How many inputs ended the connection with a FeynkacError. */
  readonly refused: number
}

const isNumbers = (value: unknown): boolean => Array.isArray(value) && value.every((x) => typeof x === 'number')

async function feed(input: string): Promise<{ problem?: string; refused: boolean }> {
  const { fake, connection } = connect({ silenceMs: 50 })
  fake.held = true
  const handle = connection.put(new Uint8Array(8), 'float32', [2])
  const reads: [string, Promise<unknown>, (value: unknown) => boolean][] = [
    ['items', connection.items([handle]), isNumbers],
    [
      'get',
      connection.get([handle]),
      (value) => Array.isArray(value) && value.every(({ bytes }) => bytes instanceof Uint8Array),
    ],
    ['call', connection.call('device.info', {}).value, () => true],
    ['barrier', connection.barrier(), (value) => value === undefined],
  ]
  const settled = Promise.allSettled(reads.map(([, promise]) => promise))
  await turn()
  fake.answer([Buffer.from(input, 'hex'), new Uint8Array(8)])
  await turn()
  // What the mutation left open: the worker ends, and every promise with it.
  const refused = !connection.alive
  fake.exit({ exitCode: 0 })
  for (const [i, result] of (await settled).entries()) {
    const [name, , fits] = reads[i]!
    if (result.status === 'rejected' && !(result.reason instanceof FeynkacError)) {
      return { refused, problem: `${name} rejected with ${String(result.reason)}` }
    }
    if (result.status === 'fulfilled' && !fits(result.value)) {
      return { refused, problem: `${name} gave ${JSON.stringify(result.value)}` }
    }
  }
  return { refused }
}

/** Tries `count` inputs of `seed`. */
export async function fuzzAnswers(seed: number, count: number): Promise<Outcome> {
  const script = join(__dirname, 'answers.py')
  const lines = execFileSync(findPython().python, [script, '--seed', String(seed), '--count', String(count)], {
    input: HEADERS.map((items) => encodeHeader(items).toString('hex')).join('\n'),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const inputs = lines.trim().split('\n')
  const findings: { input: string; problem: string }[] = []
  const stray: unknown[] = []
  const note = (reason: unknown): unknown => stray.push(reason)
  process.on('unhandledRejection', note).on('uncaughtException', note)
  let refusals = 0
  try {
    for (const input of inputs) {
      const { problem, refused } = await feed(input)
      if (refused) refusals++
      const thrown = stray.splice(0).map((reason) => `thrown elsewhere: ${String(reason)}`)
      for (const found of problem === undefined ? thrown : [problem, ...thrown])
        findings.push({ input, problem: found })
    }
  } finally {
    process.off('unhandledRejection', note).off('uncaughtException', note)
  }
  return { tried: inputs.length, findings, refused: refusals }
}

/** `ts-node answers.ts SEED MINUTES`: rounds of inputs until the time is over, then one line of JSON. */
async function main([seed = '1', minutes = '1']: readonly string[]): Promise<void> {
  const end = Date.now() + 60_000 * Number(minutes)
  let tried = 0
  let findings: Outcome['findings'] = []
  for (let round = Number(seed) * 1000; Date.now() < end; round++) {
    const outcome = await fuzzAnswers(round, 2000)
    tried += outcome.tried
    findings = [...findings, ...outcome.findings]
  }
  process.stdout.write(`${JSON.stringify({ tried, findings })}\n`)
}

if (require.main === module) void main(process.argv.slice(2))
