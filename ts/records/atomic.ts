/** Writes that are seen whole or not at all, also after a crash. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { RecordError } from './check'

/** Temporary file in the same folder, fsync, rename, fsync of the folder. On failure the old content stays. */
export function writeAtomically(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    writeDurably(temporary, text, 'w')
    renameSync(temporary, path)
  } catch (cause) {
    rmSync(temporary, { force: true })
    throw new RecordError(`Could not write \`${path}\` (${reason(cause)}); what was there before is untouched`, {
      cause,
    })
  }
  syncFolder(dirname(path))
}

/** Writes or appends and waits until the bytes are on disk. */
export function writeDurably(path: string, text: string, flags: 'w' | 'a' | 'wx'): void {
  const file = openSync(path, flags)
  try {
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** `ENOSPC` and its like in words. */
export function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  const words: Record<string, string> = {
    ENOSPC: 'no space left on the disk',
    EDQUOT: 'the disk quota is used up',
    EROFS: 'the file system is read-only',
    EACCES: 'permission denied',
    ENOENT: 'no such file or folder',
    ENOTDIR: 'a part of the path is not a folder',
  }
  return (code !== undefined && words[code]) || (error instanceof Error ? error.message : String(error))
}

function syncFolder(path: string): void {
  // Windows cannot open a folder; a rename is still atomic there, only not yet durable.
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
