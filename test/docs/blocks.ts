/** The code blocks of a Markdown page, with the nearest heading above each. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(__dirname, '..', '..')

export const page = (name: string): string => readFileSync(join(root, 'docs', name), 'utf8')

export interface Block {
  readonly heading: string
  readonly language: string
  readonly code: string
}

export function blocksOf(markdown: string): Block[] {
  const found: Block[] = []
  let heading = ''
  for (const match of markdown.matchAll(/^#+ (.*)$|^```(\w*)\n([\s\S]*?)^```$/gm)) {
    if (match[1] !== undefined) heading = match[1]
    else found.push({ heading, language: match[2] ?? '', code: match[3] ?? '' })
  }
  return found
}
