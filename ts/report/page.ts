/** The frame of a self-contained page: no script, no external resource, light and dark by the reader's preference. */
import { style } from './style'
import { escape, tag } from './svg'

/** A page of sections, which are markup; '' stands for one that has nothing to show. `title` is text. */
export function htmlPage(title: string, sections: readonly string[], moreStyle = ''): string {
  const head = [
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    tag('title', {}, escape(`${title} · feynkac`)),
    tag('style', {}, style + moreStyle),
  ]
  const body = tag('body', {}, tag('main', {}, sections.filter((section) => section !== '').join('\n')))
  return `<!doctype html>\n${tag('html', { lang: 'en' }, tag('head', {}, head.join('\n')), '\n', body)}\n`
}

/** A part of a page under a heading, which is text. */
export function section(title: string, ...children: string[]): string {
  return tag('section', {}, tag('h2', {}, escape(title)), ...children)
}
