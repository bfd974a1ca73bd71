/**
 * The learning rate of a configuration, epoch by epoch, and what follows from it: how much the weight decay can shrink
 * the weights.
 */
import constant from '../schedules/constant'
import linear from '../schedules/linear'
import multistep from '../schedules/multistep'
import type { Schedule } from '../tensor/kinds'
import type { TrainConfig } from './config'

/**
 * Learning rate of an epoch (from 0). A breakpoint takes effect at the first epoch that starts at or after its fraction
 * of all epochs.
 */
export function learningRate({ schedule, optimiser, epochs }: TrainConfig): Schedule {
  if (schedule.kind === 'constant') return constant({ value: optimiser.lr })
  if (schedule.kind === 'linear') return linear({ from: optimiser.lr, to: schedule.to, steps: epochs })
  // Fractions such as 0.6 are not binary: 0.6 * 5 may lie just above 3.
  const milestones = schedule.breakpoints.map((fraction) => Math.ceil(fraction * epochs - 1e-9))
  return multistep({ initial: optimiser.lr, factor: schedule.factor, milestones })
}

/** Optimiser steps of one epoch over `images` training images. */
export const stepsPerEpoch = ({ batchSize, dropLast }: TrainConfig, images: number): number =>
  dropLast ? Math.floor(images / batchSize) : Math.ceil(images / batchSize)

/**
 * By how many e-folds weight decay alone would shrink a weight: wd * sum of lr over all steps / (1 - momentum).
 * Group norms start at sqrt(2) and l0 thresholds lie near 0.3, so a run that is to prune channels needs at least 2.
 */
export function weightDecaySupply(config: TrainConfig, images: number): number {
  const rate = learningRate(config)
  const steps = stepsPerEpoch(config, images)
  const sum = Array.from({ length: config.epochs }, (_, epoch) => rate(epoch) * steps).reduce((a, b) => a + b, 0)
  return (config.optimiser.weightDecay * sum) / (1 - config.optimiser.momentum)
}
