/** Names of Python objects as users write them: `file.py:factory` or `package.module:factory`. */
import { resolve } from 'node:path'
import { FeynkacError } from './errors'

export interface Spec {
  /** An absolute path that ends in `.py`, or the name of a module. */
  readonly source: string
  /** What is looked up there; dots lead into objects. */
  readonly name: string
}

const NAME = /^[\p{ID_Start}_]\p{ID_Continue}*(\.[\p{ID_Start}_]\p{ID_Continue}*)*$/u

/** Takes a spec apart; a relative file is one of the current folder. Throws one sentence. */
export function parseSpec(text: string): Spec {
  // The last colon: a path may begin with a drive.
  const colon = typeof text === 'string' ? text.lastIndexOf(':') : -1
  const [source, name] = colon < 0 ? ['', ''] : [text.slice(0, colon), text.slice(colon + 1)]
  if (!NAME.test(name) || !(source.endsWith('.py') || NAME.test(source)))
    throw new FeynkacError(
      `Expected \`file.py:factory\` or \`package.module:factory\`, got \`${String(text)}\` (${typeof text})`,
    )
  return { source: source.endsWith('.py') ? resolve(source) : source, name }
}
