/** Made-up lists of norms in the format of the published scripts: numpy arrays of a ResNet20. */

const block = (layer: number, index: number, channels: number, from: number): [string, number, number, number][] => {
  const name = `layer${layer}.${index}`
  return [
    [`${name}.conv1`, channels, from, 3],
    [`${name}.conv2`, channels, channels, 3],
    ...(from === channels ? [] : [[`${name}.downsample.0`, channels, from, 1] as [string, number, number, number]]),
  ]
}

/** Name, out, in, kernel of the convolutions of a ResNet20. */
const convolutions = [
  ['conv1', 16, 3, 3] as [string, number, number, number],
  ...[16, 32, 64].flatMap((channels, i) =>
    [0, 1, 2].flatMap((index) => block(i + 1, index, channels, index === 0 && i > 0 ? channels / 2 : channels)),
  ),
]

/** A list with that many norms below 1e-15, some of them not exactly 0, and others just above it. */
export function normList(zeros: number): string {
  let left = zeros
  let seen = 0
  const lines = convolutions.flatMap(([name, out, channels, kernel]) => {
    const norms = Array.from({ length: channels }, () => {
      seen++
      // spread over all layers: every third channel until none is left
      if (seen % 3 === 0 && left > 0) return left-- % 5 === 0 ? '5.0000000e-16' : '0.0000000e+00'
      return seen % 50 === 0 ? '9.2574865e-15' : (0.2 + ((seen * 37) % 97) / 80).toExponential(7)
    })
    const rows = Array.from({ length: Math.ceil(channels / 6) }, (_, i) => norms.slice(6 * i, 6 * i + 6).join(' '))
    return [`ensemble.0.${name}.weight`, `sz:[${out}, ${channels}, ${kernel}, ${kernel}]`, `[${rows.join('\n ')}]`]
  })
  return `accuracy: 0\n${lines.join('\n')}\n`
}
