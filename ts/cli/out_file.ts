/** `--out`: what is known of the file before the work that is to end in it. */
import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

export type Format = 'safetensors' | 'pt'

/** What `--format` says, else what the name of the file says. */
export const formatOf = (out: string | undefined, format?: Format): Format =>
  format ?? (out !== undefined && /\.(pt|pth)$/.test(out) ? 'pt' : 'safetensors')

/** Where a network goes; `worker` is another machine, whose folders only it knows. */
export interface Output {
  readonly out?: string
  readonly format?: Format
  readonly worker?: string
}

/** Refuses a file in a folder that is not there: hours of training would end in this message. */
export function checkOut({ out, worker }: Pick<Output, 'out' | 'worker'>): void {
  if (out === undefined || worker !== undefined) return
  const folder = dirname(resolve(out))
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Error(`Expected \`--out\` to be in a folder that exists, got \`${out}\``)
  if (statSync(resolve(out), { throwIfNoEntry: false })?.isDirectory() === true)
    throw new Error(`Expected \`--out\` to be a file, got the folder \`${out}\``)
}

/** {@link checkOut} of a network, whose name has to tell the format where `--format` does not. */
export function checkNetworkOut(output: Output): void {
  const { out, format } = output
  if (out !== undefined && format === undefined && !/\.(pt|pth|safetensors)$/.test(out))
    throw new Error(`Expected \`--out\` to end in .safetensors, .pt or .pth, or a \`--format\`, got \`${out}\``)
  checkOut(output)
}
