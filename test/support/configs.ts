/** Configurations of presets for tests: the four rows of Table 2 under `smoke`, and others by what sets them apart. */
import { type TrainConfig, rgsm } from '../../ts/training/config'
import { configure, type Preset, presets } from '../../ts/training/presets'

interface Choice {
  readonly members?: number
  readonly lambda1?: number
  readonly seed?: number
  readonly threads?: number | null
}

/** A dense network of a preset, or one with RGSM; an ensemble when `members` are given. */
export function configOf(preset: Preset, { members, lambda1, seed = 0, threads = 1 }: Choice = {}): TrainConfig {
  const network =
    members === undefined
      ? { name: preset.network, options: {} }
      : { name: `en${preset.network}`, options: { members, noise: 0.1 } }
  const cell =
    lambda1 === undefined
      ? { network, splitting: { kind: 'none' } as const, lambda2: 0 }
      : { network, splitting: rgsm({ beta: 1, lambda1 }), lambda2: 1e-5 }
  return configure(preset, cell, { seed, threads })
}

export const smokeConfig = (choice: Choice = {}): TrainConfig => configOf(presets.smoke, choice)

/** The smallest ResNet8 on 72 images of the embedded subset, 3 steps an epoch. */
export const tinyConfig = (more: Partial<TrainConfig> = {}): TrainConfig => ({
  ...smokeConfig({ seed: 5 }),
  network: { name: 'resnet8', options: { width: 4, stem_stride: 2, channels: 1, classes: 10 } },
  batchSize: 24,
  images: 72,
  ...more,
})
