/**
 * Warm starts: a run that begins with the weights of a checkpoint, dense or compact. The configuration names the file by
 * its checksum, so that the hash of a run knows it and its path does not matter.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Model } from '../tensor/model'
import type { LoadOptions, Session } from '../tensor/session'
import type { TrainConfig } from './config'

/** A network to train on, and the sections of a configuration that say where it comes from. */
export interface WarmStart extends Required<Pick<TrainConfig, 'network' | 'initial'>> {
  readonly model: Model
}

/**
 * Loads a checkpoint to train on; `options` say what it holds where the file does not tell. A compact network stays
 * compact.
 * @throws Error when the file is not the one that `expected` names
 */
export async function warmStart(
  session: Session,
  path: string,
  options: Omit<LoadOptions, 'model'> = {},
  expected?: TrainConfig['initial'],
): Promise<WarmStart> {
  const model = await session.load(path, options)
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
  if (expected !== undefined && expected.sha256 !== sha256) {
    throw new Error(`Expected ${path} to have the SHA-256 ${expected.sha256} of \`initial\`, got ${sha256}`)
  }
  const { name, options: found } = model.description
  return { model, network: { name, options: found }, initial: { sha256 } }
}
