/** What the Vega-Lite figures share: panels side by side with their names above, captions in lines. */
import type { TopLevelSpec } from 'vega-lite'

/** The name of a panel as the title of its y axis: at a fixed place, whatever the labels of the axis are. */
export const above = (...title: string[]) => ({
  title,
  titleAngle: 0,
  titleAlign: 'left',
  titleX: 0,
  titleY: -6 - 14 * title.length,
})

/** Title, caption and panels of a figure. */
export interface Figure {
  readonly title: string
  /** Paragraphs; each is broken into lines of at most `characters`, so that a caption is no wider than its panels. */
  readonly caption: readonly string[]
  readonly characters?: number
  readonly columns: number
  readonly panels: readonly object[]
  readonly spacing?: { readonly row: number; readonly column: number }
}

/** Panels side by side, aligned by their plots and not by their labels. */
export function panelFigure({ title, caption, characters = 95, columns, panels, spacing }: Figure): TopLevelSpec {
  return {
    title: { text: title, subtitle: caption.flatMap((text) => wrapped(text, characters)) },
    concat: panels,
    columns,
    bounds: 'flush',
    spacing: spacing ?? { row: 100, column: 60 },
  } as TopLevelSpec
}

/** Lines of at most `width` characters, broken at spaces; a dot between facts stays at the end of its line. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.replace(/ · /g, '\u00a0· ').split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
