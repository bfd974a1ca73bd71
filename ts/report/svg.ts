/** Text and markup for the page: everything that comes from a record goes through {@link escape}. */

export function escape(text: string): string {
  return unbroken(text)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;')
}

/** `95 %` and `λ1 = 0.05` stay on one line. */
function unbroken(text: string): string {
  return text.replace(/(\S) = (\S)/g, '$1\u00a0=\u00a0$2').replace(/(\d) %/g, '$1\u00a0%')
}

/** `<name a="1">children</name>`; attribute values are escaped, children are markup. */
export function tag(name: string, attributes: Record<string, string | number>, ...children: string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escape(String(value))}"`)
  return `<${name}${written.join('')}>${children.join('')}</${name}>`
}

/** A length in an SVG: two decimals are enough. */
export function px(value: number): number {
  return Math.round(value * 100) / 100
}

export function path(points: readonly (readonly [x: number, y: number])[]): string {
  return points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${px(x)} ${px(y)}`).join('')
}

/** Smallest of 1, 2, 2.5, 5 times a power of ten that is at least `value`. */
export function niceCeiling(value: number): number {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 2.5, 5, 10].find((each) => each * power >= value * (1 - 1e-9)) ?? 10
  return Number((step * power).toPrecision(3))
}
