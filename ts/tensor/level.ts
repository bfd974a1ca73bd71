/** Finished straight-line code: a plan, or the body of a repeat. Dead pure nodes are gone, values are numbered. */

/** A literal, an absent argument, or text, as it stands on the wire. */
export type Literal =
  | readonly ['i', number | string]
  | readonly ['f', number | string]
  | readonly ['b', boolean]
  | readonly ['s', string]
  | readonly ['d', string]
  | readonly ['n']

/** An argument with its tag. */
export type Tagged = Literal | readonly ['v', number] | readonly ['l', readonly Tagged[]] | readonly ['p', Level]

export interface LevelNode {
  /** Its row in the op table. */
  readonly op: number
  readonly args: readonly Tagged[]
  /** `script.ts:31:41`, null when unknown. */
  readonly loc: string | null
}

/** Inputs are values 0 … n-1, then one value a node. The last `captured` inputs are captured. */
export interface Level {
  readonly inputs: readonly string[]
  readonly captured: number
  readonly nodes: readonly LevelNode[]
  readonly outputs: readonly number[]
}

/** A whole plan. */
export interface Plan extends Level {
  readonly name: string
}
