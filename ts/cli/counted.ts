/** What a network costs for images of a size: counted from its graph, or a sentence why not. */
import { type Cost, cost } from '../cost/cost'
import { messageOf } from './failure'
import { usualSize } from './image_size'
import type { Model } from '../tensor/session'

export interface Counted {
  /** Channels, height and width. */
  readonly shape: readonly number[]
  readonly cost: Cost
}

/** `size` when it is given, else the usual one. A network that cannot be traced is an error only where the size was asked for. */
export async function countModel(
  model: Model,
  size: readonly number[] | undefined,
  nonZero: number,
): Promise<Counted | string> {
  try {
    const shape = size ?? usualSize(model.description)
    const graph = await model.graph(shape as [number, number, number])
    return { shape, cost: cost(graph, { nonZero }) }
  } catch (error) {
    if (size !== undefined) throw error
    return messageOf(error)
  }
}
