/** `--model file.py:factory`: a network of the user in place of a checkpoint, and the permission that running it takes. */
import { type Command, InvalidArgumentError } from 'commander'
import type { Model, Session } from '../tensor/session'

export interface ModelOptions {
  readonly model?: string
  readonly modelOptions?: Readonly<Record<string, unknown>>
  readonly allowCode?: boolean
  readonly seed?: number
}

/** Adds the options to a command. */
export const withModelOptions = (command: Command): Command =>
  command
    .option('--model <spec>', 'a network of your own instead of a file: file.py:factory or package.module:factory')
    .option('--model-options <json>', 'keyword arguments of the factory, such as {"width": 16}', jsonMap)
    .option('--allow-code', 'permission to run the Python code that --model names')

/** Refuses before a worker is started: neither a file nor a factory, both, or a factory without permission. */
export function checkSource(path: string | undefined, { model, modelOptions, allowCode }: ModelOptions): void {
  if ((path === undefined) === (model === undefined))
    throw new Error(
      `Expected a checkpoint or \`--model file.py:factory\`, got ${path === undefined ? 'neither' : 'both'}`,
    )
  if (model === undefined && (modelOptions !== undefined || allowCode === true))
    throw new Error(
      `Expected \`${modelOptions ? '--model-options' : '--allow-code'}\` to come with \`--model\`, got a checkpoint`,
    )
  if (model !== undefined && allowCode !== true)
    throw new Error(`Expected \`--allow-code\` with \`--model ${model}\`, which runs Python code of yours, got none`)
}

/** The network of the checkpoint or of the factory. */
export const openModel = (
  session: Session,
  path: string | undefined,
  { model, modelOptions, seed }: ModelOptions,
  load: { options?: Readonly<Record<string, unknown>> } = {},
): Promise<Model> =>
  model === undefined ? session.load(path as string, load) : session.adopt(model, modelOptions, { seed })

function jsonMap(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // One sentence for both.
  }
  throw new InvalidArgumentError(`Expected a JSON object such as {"width": 16}, got \`${text}\`.`)
}
