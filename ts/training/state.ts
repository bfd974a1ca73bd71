/** What a run knows between two epochs, and the one file it lies in. */
import type { HandleOwner } from '../tensor/handle_owner'
import type { Session } from '../tensor/session'
import type { Count } from '../threats/shared/count'
import type { TrainConfig } from './config'

/** One epoch in numbers. */
export interface EpochMetrics {
  /** From 1. */
  readonly epoch: number
  readonly lr: number
  /** Mean over the images, in training mode. */
  readonly loss: number
  /** Share of right answers on the images of the loss (adversarial ones in adversarial training), in training mode. */
  readonly trainAccuracy: number
  /** Zero input channels of all convolutions, after w <- u. */
  readonly inputChannels: { readonly zero: number; readonly total: number }
  /** The lambda that a run with a target by lambda has come to. */
  readonly lambda?: number
  /** In evaluation mode on the images set aside; null without any. */
  readonly validation: { readonly natural: Count; readonly robust: Count } | null
}

export interface Progress {
  /** Epochs done. */
  readonly epoch: number
  /**
   * The epoch (from 1) whose weights are kept, with its right answers under attack, and by how much it misses the target
   * of a run with one; null before the first.
   */
  readonly selected: { readonly epoch: number; readonly correct: number; readonly miss?: number } | null
  readonly history: readonly EpochMetrics[]
}

/** Writes everything that the next epoch depends on as one file, atomically. */
export async function saveProgress(
  session: Session,
  path: string,
  parts: Record<string, HandleOwner>,
  config: TrainConfig,
  progress: Progress,
): Promise<void> {
  await session.saveState(path, parts, { config, progress })
}

/** Restores what `saveProgress` wrote; a file of another configuration is refused. */
export async function loadProgress(
  session: Session,
  path: string,
  parts: Record<string, HandleOwner>,
  config: TrainConfig,
): Promise<Progress> {
  const saved = (await session.loadState(path, parts)) as { config: TrainConfig; progress: Progress }
  if (JSON.stringify(saved.config) !== JSON.stringify(config)) {
    throw new Error(
      `Expected ${path} to hold a run with the same configuration, got another one; remove the file to start afresh`,
    )
  }
  return saved.progress
}
