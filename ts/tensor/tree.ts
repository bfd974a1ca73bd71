/** Arrays and plain objects with something at their leaves: taken apart into a flat list, and put together again. */

/** The shape of a tree. */
export type Shape = 'leaf' | readonly Shape[] | { readonly keys: readonly string[]; readonly shapes: readonly Shape[] }

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/**
 * Calls `leaf` for everything that is neither an array nor a plain object, in order, with its path (`.state[0]`).
 * Keys are taken in alphabetical order: `{ x, y }` and `{ y, x }` are the same tree.
 */
export function takeApart(tree: unknown, leaf: (value: unknown, path: string) => void, path = ''): Shape {
  if (Array.isArray(tree)) return tree.map((item, i) => takeApart(item, leaf, `${path}[${i}]`))
  if (typeof tree === 'object' && tree !== null && isPlain(tree)) {
    const entries = Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : 1))
    return {
      keys: entries.map(([key]) => key),
      shapes: entries.map(([key, item]) => takeApart(item, leaf, `${path}.${key}`)),
    }
  }
  leaf(tree, path)
  return 'leaf'
}

/** Builds the tree again from leaves in the same order. */
export function putTogether(shape: Shape, next: () => unknown): unknown {
  if (shape === 'leaf') return next()
  if (isList(shape)) return shape.map((item) => putTogether(item, next))
  return Object.fromEntries(shape.keys.map((key, i) => [key, putTogether(shape.shapes[i] as Shape, next)]))
}

/** Text that is equal for equal shapes: `{x:*,y:[*,*]}`. */
export function shapeText(shape: Shape): string {
  if (shape === 'leaf') return '*'
  if (isList(shape)) return `[${shape.map(shapeText).join(',')}]`
  return `{${shape.keys.map((key, i) => `${JSON.stringify(key)}:${shapeText(shape.shapes[i] as Shape)}`).join(',')}}`
}

const isList = (shape: Shape): shape is readonly Shape[] => Array.isArray(shape)

/** Iterates the leaves of a flat list. */
export function taker<T>(leaves: readonly T[]): () => T {
  let next = 0
  return () => leaves[next++] as T
}
