/** CURVE keys as files: one line of 40 Z85 characters each, readable by their owner only (`py/feynkac_worker/attach/keys.py`). */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FeynkacError } from '../errors'
import { loadZmq } from '../library'

/** What a client needs of the pairs. */
export interface ClientKeys {
  readonly serverKey: string
  readonly publicKey: string
  readonly secretKey: string
}

const SIDES = ['server', 'client'] as const
const Z85 = /^[0-9A-Za-z.:+=^!/*?&<>()[\]{}@%$#-]{40}$/

/** Makes a pair for the worker and one for a client. Throws one sentence rather than write over keys. */
export function makeKeys(folder: string): void {
  const zmq = loadZmq()
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const taken = SIDES.flatMap((side) => [`${side}.public`, `${side}.secret`]).filter((name) =>
    existsSync(join(folder, name)),
  )
  if (taken.length > 0)
    throw new FeynkacError(`Expected a folder without keys, got \`${folder}\` with ${taken.join(', ')}`)
  for (const side of SIDES) {
    const { publicKey, secretKey } = zmq.curveKeyPair()
    for (const [kind, key] of Object.entries({ public: publicKey, secret: secretKey }))
      writeFileSync(join(folder, `${side}.${kind}`), `${key}\n`, { mode: 0o600, flag: 'wx' })
  }
}

/** Reads `server.public`, `client.public` and `client.secret`. Throws one sentence for a missing or an open file. */
export function readClientKeys(folder: string): ClientKeys {
  const secret = join(folder, 'client.secret')
  const keys = {
    serverKey: read(join(folder, 'server.public')),
    publicKey: read(join(folder, 'client.public')),
    secretKey: read(secret),
  }
  const mode = statSync(secret).mode & 0o777
  if ((mode & 0o077) !== 0)
    throw new FeynkacError(
      `Expected \`${secret}\` to be readable by its owner only (chmod 600), got mode ${mode.toString(8)}`,
    )
  return keys
}

function read(path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'latin1').trim()
  } catch (error) {
    throw new FeynkacError(`Expected the key \`${path}\`, got ${(error as NodeJS.ErrnoException).code ?? 'an error'}`)
  }
  if (!Z85.test(text))
    throw new FeynkacError(`Expected \`${path}\` to hold one key of 40 characters, got something else`)
  return text
}
