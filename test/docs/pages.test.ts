/** What the pages of docs/ claim about the sources: quoted messages exist, links lead somewhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { page, root } from './blocks'

function filesBelow(folder: string, suffix: RegExp): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'vendor' ? [] : filesBelow(path, suffix)
    return suffix.test(entry.name) ? [path] : []
  })
}

// Backslashes and the seams of texts that go over several lines are no part of a message.
const sources = ['bridge', 'ts', 'setup', 'py']
  .flatMap((folder) => filesBelow(join(root, folder), /\.(ts|js|py)$/))
  .map((path) =>
    readFileSync(path, 'utf8')
      .replace(/\\/g, '')
      .replace(/['"`] \+\s+['"`]/g, ''),
  )

/** The fixed parts of a message all stand in one file. */
const isInSources = (message: string): boolean => {
  const parts = message
    .split('…')
    .map((part) => part.trim())
    .filter((part) => /\w{2}/.test(part))
  return parts.length > 0 && sources.some((source) => parts.every((part) => source.includes(part)))
}

const messages = [...page('troubleshooting.md').matchAll(/^### (?:`` (.*) ``|`([^`].*)`)$/gm)].map(
  (match) => match[1] ?? match[2]!,
)

test('the page quotes messages', () => expect(messages.length).toBeGreaterThan(20))

test.each(messages)('the sources say: %s', (message) => {
  expect(isInSources(message)).toBe(true)
})

test('a message that nobody prints is found out', () => {
  expect(isInSources('The worker ended happily after command #…')).toBe(false)
})

test('all links to files lead somewhere', () => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    ...readdirSync(join(root, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ]
  const dead = pages.flatMap((path) =>
    [...readFileSync(join(root, path), 'utf8').matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)]
      .map((match) => match[1]!)
      .filter((link) => !/^https?:/.test(link) && !existsSync(join(root, dirname(path), link)))
      .map((link) => `${path}: ${link}`),
  )
  expect(dead).toEqual([])
})
