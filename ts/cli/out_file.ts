/** `--out`: what is known of the file before the work that is to end in it. */
import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

export type Format = 'safetensors' | 'pt'

/** What `--format` says, else what the name of the file says. */
export const formatOf = (out: string | undefined, format?: Format): Format =>
  format ?? (out !== undefined && /\.(pt|pth)$/.test(out) ? 'pt' : 'safetensors')

/** Refuses a file in a folder that is not there: hours of training would end in this message. With `worker` only that machine knows. */
export function checkOut({ out, worker }: { readonly out?: string; readonly worker?: string }): void {
  if (out === undefined || worker !== undefined) return
  const folder = dirname(resolve(out))
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Error(`Expected \`--out\` to be in a folder that exists, got \`${out}\``)
  if (statSync(resolve(out), { throwIfNoEntry: false })?.isDirectory() === true)
    throw new Error(`Expected \`--out\` to be a file, got the folder \`${out}\``)
}
