/** Random crop and horizontal flip inside a plan, each image with its own draws (paper A: padding 4, flip). */
import { arange } from '../tensor/functions'
import type { Generator } from '../tensor/generator'
import type { Tensor } from '../tensor/tensor'
import type { TrainConfig } from './config'

/** Height and width of the images. */
export interface Size {
  readonly channels: number
  readonly height: number
  readonly width: number
}

/** The images `[batch, channels, height, width]` after crop and flip; `y` `[batch]` gives the draws their shape. */
export function augment(
  x: Tensor,
  y: Tensor,
  options: TrainConfig['augment'] & { readonly size: Size; readonly generator: Generator },
): Tensor {
  const { crop, flip, size, generator } = options
  const cropped = crop === 0 ? x : randomCrop(x, y, crop, size, generator)
  if (!flip) return cropped
  const flipped = y.randintLike(0, 2, generator).eq(1).reshape([-1, 1, 1, 1])
  return cropped.flip([3]).where(flipped, cropped)
}

/**
 * A window of the old size at a random place of the image padded by `padding` zeros on each side: rows are gathered,
 * then columns.
 */
function randomCrop(
  x: Tensor,
  y: Tensor,
  padding: number,
  { channels, height, width }: Size,
  generator: Generator,
): Tensor {
  const padded = x.pad([padding, padding, padding, padding])
  const top = y.randintLike(0, 2 * padding + 1, generator).reshape([-1, 1, 1, 1])
  const left = y.randintLike(0, 2 * padding + 1, generator).reshape([-1, 1, 1, 1])
  const rows = top.add(arange(0, height, 1, 'int64').reshape([1, 1, height, 1]))
  const columns = left.add(arange(0, width, 1, 'int64').reshape([1, 1, 1, width]))
  return padded
    .gather(2, rows.expand([-1, channels, height, width + 2 * padding]))
    .gather(3, columns.expand([-1, channels, height, width]))
}
