/** What a command works on: a checkpoint, a network of the user (`--model file.py:factory`), or weights for that network. */
import { type Command, InvalidArgumentError } from 'commander'
import type { Model, Session } from '../tensor/session'

export interface ModelOptions {
  readonly model?: string
  readonly modelOptions?: Readonly<Record<string, unknown>>
  readonly allowCode?: boolean
  readonly name?: string
  readonly seed?: number
}

/** Adds the options to a command. */
export const withModelOptions = (command: Command): Command =>
  command
    .option(
      '--model <spec>',
      'a network of your own, file.py:factory or package.module:factory; with a checkpoint its weights come from there',
    )
    .option('--model-options <json>', 'keyword arguments of the factory, such as {"width": 16}', jsonMap)
    .option('--allow-code', 'permission to run the Python code that --model names')
    .option('--name <network>', 'which network the checkpoint holds, such as enresnet20, where its keys do not tell')

/** Refuses before a worker is started: neither a file nor a factory, a factory without permission, options without their object. */
export function checkSource(path: string | undefined, { model, modelOptions, allowCode, name }: ModelOptions): void {
  if (path === undefined && model === undefined)
    throw new Error('Expected a checkpoint or `--model file.py:factory`, got neither')
  if (model === undefined && (modelOptions !== undefined || allowCode === true))
    throw new Error(
      `Expected \`${modelOptions ? '--model-options' : '--allow-code'}\` to come with \`--model\`, got a checkpoint`,
    )
  if (model !== undefined && name !== undefined)
    throw new Error(`Expected \`--model\` or \`--name\`, which both say what the network is, got both`)
  if (model !== undefined && allowCode !== true)
    throw new Error(`Expected \`--allow-code\` with \`--model ${model}\`, which runs Python code of yours, got none`)
}

/** The network of the checkpoint, that of the factory, or that of the factory with the weights of the checkpoint. */
export async function openModel(
  session: Session,
  path: string | undefined,
  { model, modelOptions, name, seed }: ModelOptions,
  options: Readonly<Record<string, unknown>> = {},
): Promise<Model> {
  if (model === undefined) return session.load(path as string, { ...(name !== undefined && { name }), options })
  if (path === undefined) return session.adopt(model, modelOptions, { seed })
  return session.scope(async () => session.load(path, { model: await session.adopt(model, modelOptions, { seed }) }))
}

function jsonMap(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // One sentence for both.
  }
  throw new InvalidArgumentError(`Expected a JSON object such as {"width": 16}, got \`${text}\`.`)
}
