/** `--size 3,32,32`: the image that counts and exports are for; what it is when nobody says. */
import { InvalidArgumentError } from 'commander'
import type { ModelDescription } from '../tensor/session'

/** `[channels, height, width]` from `3,32,32`. */
export function imageSize(text: string): number[] {
  const sizes = text.split(',').map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : 0))
  if (sizes.length !== 3 || !sizes.every((size) => size >= 1 && Number.isSafeInteger(size)))
    throw new InvalidArgumentError(`Expected channels, height and width such as 3,32,32, got \`${text}\`.`)
  return sizes
}

/** The channels of the images: what the network was made for, else those of its first convolution. */
export function imageChannels({ options, parameters }: ModelDescription): unknown {
  return options['channels'] ?? parameters.find(({ role }) => role === 'conv')?.shape[1]
}

/** The usual image of that many channels: that of the Fashion-MNIST family or of the CIFAR family. */
export function usualSize(description: ModelDescription): number[] {
  const channels = imageChannels(description)
  if (channels === 1) return [1, 28, 28]
  if (channels === 3) return [3, 32, 32]
  throw new Error(`Expected \`--size\` (channels,height,width) for ${description.architecture}, got none`)
}
