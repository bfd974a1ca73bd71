/** `feynkac inspect --report`: gathers what the page of a network shows, and writes it. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isDead, layerSparsity, type LayerSparsity } from '../evaluation/layers'
import { type Sparsity } from '../evaluation/sparsity'
import { layerImage, magnitudeQuantile, weightCounts } from '../evaluation/weights'
import { writeAtomically } from '../records/atomic'
import { evenEdges } from '../records/histogram'
import { type NormLayer, weightsInZeroChannels, zeroNorms } from '../records/norms'
import { type CheckpointReport, toCheckpointHtml } from '../report/checkpoint'
import { count } from '../report/format'
import { niceCeiling } from '../report/svg'
import type { Model, Session } from '../tensor/session'
import { chooseLayer, type LayerOptions } from './layer_choice'

/** SHA-256 of a file, in hex. */
export const checksumOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

/** Writes the page into `folder` and gives its path. */
export function writeReport(folder: string, report: CheckpointReport): string {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'report.html')
  writeAtomically(path, toCheckpointHtml(report))
  return path
}

const shareOfZeros = 'Norm below 1e-15: the channel sparsity of '

/** The page of a network in the worker. */
export async function reportOf(
  session: Session,
  model: Model,
  { zeros, path, command, ...options }: LayerOptions & { zeros: Sparsity; path: string | undefined; command: string },
): Promise<CheckpointReport> {
  const { description } = model
  const layers = await layerSparsity({ session, model }, zeros)
  const all = { session, model }
  const high = niceCeiling(await magnitudeQuantile(all, 0.99))
  const weights = await weightCounts(all, evenEdges(-high, high, 120))
  return {
    title: description.architecture,
    source:
      path === undefined
        ? 'a network made by a factory'
        : `${basename(path)}, SHA-256 ${checksumOf(path).slice(0, 16)}…`,
    facts: factsOf(model, layers),
    sparsity: [
      { label: 'Input channels', zeros: zeros.inputChannels, note: `${shareOfZeros}paper A, skip paths included` },
      {
        label: 'Input channels without skip paths',
        zeros: zeros.inputChannelsWithoutDownsample,
        note: `${shareOfZeros}paper B`,
      },
      { label: 'Weights of convolutions', zeros: zeros.convWeights, note: 'Exactly zero' },
      {
        label: 'Weights in zero channels',
        zeros: weightsInZeroChannels(layers)!,
        note: 'The “weight sparsity” of the authors’ script',
      },
      {
        label: 'Small weights of convolutions',
        zeros: { zero: weights.small, total: weights.total },
        note: '|w| < 0.001, zeros included (paper A, figure 1)',
      },
      {
        label: 'All trained numbers',
        zeros: zeros.parameters,
        note: 'Exactly zero, BatchNorm and the last layer included',
      },
    ],
    layers,
    weights,
    picture: await pictureOf(session, model, options),
    command,
  }
}

async function pictureOf(session: Session, model: Model, options: LayerOptions): Promise<CheckpointReport['picture']> {
  if (!model.description.parameters.some(({ shape }) => shape.length === 4)) return null
  const { title, shape, names } = chooseLayer([model.description], options)
  const [full] = names as [string]
  const own = { session, model, filter: ({ name }: { name: string }) => name === full }
  const limit = niceCeiling(await magnitudeQuantile(own, 0.995))
  const image = await layerImage(session, model, full, limit)
  return { layer: title, shape, limit, image, weights: await weightCounts(own, evenEdges(-limit, limit, 120)) }
}

function factsOf({ description }: Model, layers: readonly LayerSparsity[]): CheckpointReport['facts'] {
  const { name, architecture, members, trainable, options, layout, format } = description
  const dead = layers.filter(isDead).length
  const given = Object.entries(options).map(([key, value]) => `${key} ${String(value)}`)
  return [
    { label: 'Architecture', value: architecture === name ? name : `${architecture} (${name})` },
    { label: 'Members', value: String(members) },
    { label: 'Trained numbers', value: count(trainable) },
    { label: 'Convolutions', value: dead === 0 ? String(layers.length) : `${layers.length}, of them ${dead} dead` },
    ...(given.length === 0 ? [] : [{ label: 'Options', value: given.join(', ') }]),
    ...(layout === undefined ? [] : [{ label: 'File', value: `${format ?? ''} ${layout}`.trim() }]),
  ]
}

/** The page of a list of norms. */
export function reportOfNorms(layers: readonly NormLayer[], path: string, command: string): CheckpointReport {
  const norms = layers.flatMap((layer) => layer.norms)
  const inside = weightsInZeroChannels(layers)
  return {
    title: 'Channel norms of a list',
    source: `${basename(path)}, SHA-256 ${checksumOf(path).slice(0, 16)}…`,
    facts: [
      { label: 'Convolutions', value: String(layers.length) },
      { label: 'Input channels', value: count(norms.length) },
    ],
    sparsity: [
      { label: 'Input channels', zeros: zeroNorms(norms), note: `${shareOfZeros}paper A` },
      ...(inside === null
        ? []
        : [{ label: 'Weights in zero channels', zeros: inside, note: 'The “weight sparsity” of the authors’ script' }]),
    ],
    layers: layers.map((layer) => ({ ...layer, downsample: /downsample|shortcut/.test(layer.name), weights: null })),
    weights: null,
    picture: null,
    command,
  }
}
