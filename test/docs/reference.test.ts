/** The API reference: every exported name has a doc comment, and docs/api is what `npm run docs` writes now. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { reference } from '../../setup/reference'
import * as feynkac from '../../ts/index'
import { root } from './blocks'

const folder = join(root, 'docs', 'api')
const { pages, undocumented, names } = reference()

test('every exported name has a doc comment', () => {
  expect(undocumented).toEqual([])
})

test('no exported name is forgotten', () => {
  expect(names).toEqual(expect.arrayContaining(Object.keys(feynkac)))
  const headings = Object.values(pages).flatMap((page) => [...page.matchAll(/^## (\w+)$/gm)].map((match) => match[1]))
  expect(headings).toEqual(expect.arrayContaining(names))
})

test('docs/api is up to date', () => {
  const committed = Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  )
  const stale = Object.keys({ ...pages, ...committed }).filter((name) => pages[name] !== committed[name])
  // Repaired by: npm run docs
  expect(stale).toEqual([])
})
