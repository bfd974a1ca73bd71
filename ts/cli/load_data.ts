/** Loads both splits of a data set and keeps the facts that identify it. */
import type { Dataset, Session } from '../tensor/session'
import { createHash } from 'node:crypto'
import { type KnownData, rememberData, stampOf } from './known'

export interface LoadedData {
  readonly train: Dataset
  readonly test: Dataset
  readonly known: KnownData
}

/** Both splits on the device; their facts are remembered below `runs`. */
export async function loadBoth(
  session: Session,
  runs: string,
  name: string,
  root: string | undefined,
): Promise<LoadedData> {
  const train = await session.data(name, { split: 'train', root })
  const test = await session.data(name, { split: 'test', root })
  const paths = [...train.files, ...test.files].map(({ path }) => path)
  const known: KnownData = {
    title: train.title === test.title ? train.title : `${train.title} / ${test.title}`,
    official: train.official && test.official,
    checksum: createHash('sha256').update(`${train.checksum} ${test.checksum}`).digest('hex'),
    files: [...new Set(paths)].map(stampOf),
  }
  rememberData(runs, name, root, known)
  return { train, test, known }
}
