/** A network in the worker. */
import { resolve } from 'node:path'
import type { Connection } from '../../bridge/connection'
import { PlanError } from '../../bridge/errors'
import type { Handle } from '../../bridge/handle'
import { type TensorArg, checkArg } from './arguments'
import { DeviceTensor } from './device_tensor'
import { emitNode, requireTrace } from './emit'
import type { ModelGraph, Widths } from './graph'
import type { Generator } from './generator'
import { HandleOwner } from './handle_owner'
import { opNamed } from './op_table'
import { Tensor } from './tensor'

/** `downsample`: a 1 x 1 convolution on a skip path. */
export type Role = 'conv' | 'downsample' | 'norm' | 'linear' | 'bias'

const ROLES: readonly Role[] = ['conv', 'downsample', 'norm', 'linear', 'bias']

/** One parameter of a network. */
export interface Parameter {
  readonly name: string
  readonly shape: readonly number[]
  readonly role: Role
}

/** What a network is. */
export interface ModelDescription {
  readonly name: string
  readonly options: Readonly<Record<string, unknown>>
  /** As papers print it, `En2ResNet20`. */
  readonly architecture: string
  /** Members of the ensemble. */
  readonly members: number
  readonly parameters: readonly Parameter[]
  readonly buffers: readonly { readonly name: string; readonly shape: readonly number[] }[]
  /** How many numbers are trained. */
  readonly trainable: number
  /** Of a loaded checkpoint: where the weights lay in the file, what kind of file it was, and its header. */
  readonly layout?: string
  readonly format?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** Of a network that was made smaller: which channels of the dense one stayed. Names and options are those of the dense one. */
  readonly widths?: Widths
}

/** Which parameters: by role, or by what a function says. All of them when absent. */
export type ParameterFilter = Role | readonly Role[] | ((parameter: Parameter) => boolean)

/** How a network is called. */
export interface CallOptions {
  /** `train` normalises with the batch's statistics and updates the running ones, which is an effect. */
  readonly mode: 'train' | 'eval'
  /** Where noise inside the network is drawn from. */
  readonly generator?: Generator
  /** False switches the noise off for this call. */
  readonly noise?: boolean
  /** The batch is that many stacked copies of one batch; each has its own noise statistics. */
  readonly draws?: number
  /** Weights that stand in for those of the network in this call. */
  readonly parameters?: { readonly names: readonly string[]; readonly values: readonly TensorArg[] }
}

/** What `Model.export` wrote. */
export interface ExportedModel {
  readonly bytes: number
  /** Of the standard operators of ONNX. */
  readonly opset: number
  /** Name and shape of the images; a batch of any size is null. */
  readonly input: { readonly name: string; readonly shape: readonly (number | null)[] }
  /** Name and shape of the logits. */
  readonly output: { readonly name: string; readonly shape: readonly (number | null)[] }
  /** One sentence: noise is never exported. */
  readonly noise: string
}

/** Made by `session.model` or `session.load`. Its parameters are slots: plans that change them change the network. */
export class Model extends HandleOwner {
  constructor(
    handle: Handle,
    readonly description: ModelDescription,
    private readonly tensors: ReadonlyMap<string, DeviceTensor>,
  ) {
    super(handle)
  }

  /** The parameters in the order of the network, aliased: no copies. */
  parameters(filter?: ParameterFilter): DeviceTensor[] {
    return this.names(filter).map((name) => this.tensors.get(name) as DeviceTensor)
  }

  /** Whether a pass draws noise, so that it needs a generator. */
  private get noisy(): boolean {
    const noise: unknown = this.description.options['noise']
    return typeof noise === 'number' && noise > 0
  }

  /** The names of the parameters, in the same order. */
  names(filter?: ParameterFilter): string[] {
    return this.description.parameters.filter(predicate(filter)).map(({ name }) => name)
  }

  /** Running statistics and other state that is not trained, aliased. */
  buffers(): DeviceTensor[] {
    return this.description.buffers.map(({ name }) => this.tensors.get(name) as DeviceTensor)
  }

  /** The forward pass inside a plan: x `[batch, channels, height, width]` to logits `[batch, classes]`. */
  call(x: TensorArg, options: CallOptions): Tensor {
    const trace = requireTrace('model.call', [x])
    const op = opNamed('call')
    const { mode, generator, noise, draws, parameters } = options
    if (parameters !== undefined && parameters.names.length !== parameters.values.length) {
      const { names, values } = parameters
      throw new PlanError(
        `Expected \`parameters\` of model.call to have one value for each of the ${names.length} names, got ${values.length}`,
        trace.here(op.name),
      )
    }
    if (generator === undefined && noise !== false && this.noisy) {
      throw new PlanError(
        `Expected \`generator\` of model.call for ${this.description.architecture}, which draws noise, got nothing; ` +
          'pass session.generator(seed), or `noise: false`',
        trace.here(op.name),
      )
    }
    const given = [this, x, mode, generator, noise, draws, parameters?.names, parameters?.values]
    const args = op.args.map((arg, i) => checkArg(trace, op, arg, given[i]))
    return new Tensor(emitNode(trace, op.name, args))
  }

  /**
   * What the network computes for images of `[channels, height, width]`, in eval mode with its noise on, traced with torch.fx.
   * Rejects with one sentence when the steps depend on the values of tensors.
   */
  async graph(shape: readonly [channels: number, height: number, width: number]): Promise<ModelGraph> {
    const params = { shape: [1, ...shape] }
    const { value } = this.connection.call('model.graph', params, [this.handle], [], { site: this.graph })
    return (await value) as ModelGraph
  }

  /**
   * A copy with the channels that `widths` keeps: smaller weights under the same names. This network stays as it is. Which channels may
   * go is decided elsewhere; for a network that is small already, the indices are those of its own channels.
   * Rejects with one sentence for layers that it does not have or indices out of range.
   */
  async narrow(widths: Widths): Promise<Model> {
    return makeModel(this.connection, 'model.narrow', { widths }, [this.handle], this.narrow)
  }

  /** Writes the weights: `safetensors` with a header, or `pt`, a state_dict that plain PyTorch loads. Atomic. */
  async save(
    path: string,
    options: { format: 'safetensors' | 'pt'; metadata?: Readonly<Record<string, string>> },
  ): Promise<void> {
    const { format, metadata = {} } = options
    await this.connection.call('checkpoint.save', { path: resolve(path), format, metadata }, [this.handle], [], {
      site: this.save,
    }).value
  }

  /**
   * Writes the forward pass in evaluation mode as an ONNX file, atomically. `shape` is `[channels, height, width]` of an image;
   * `batch` fixes the batch size, any size when absent. The noise is off: the file is the deterministic network, and says so.
   * Needs the Python packages onnx and onnxscript.
   * @throws ServiceError for a network that cannot be traced, or draws random numbers of its own
   */
  async export(path: string, options: { shape: readonly number[]; batch?: number }): Promise<ExportedModel> {
    const { shape, batch = null } = options
    const params = { path: resolve(path), shape: [...shape], batch }
    return (await this.connection.call('model.export', params, [this.handle], [], { site: this.export })
      .value) as ExportedModel
  }
}

/** The network that a method of the worker gives, with its parameters and buffers. */
export async function makeModel(
  connection: Connection,
  method: string,
  params: Readonly<Record<string, unknown>>,
  inputs: readonly Handle[],
  site: (...args: never[]) => unknown,
): Promise<Model> {
  const { value, handles } = connection.call(method, params, inputs, ['module'], { site })
  const [module] = handles as [(typeof handles)[number]]
  const description = (await value) as ModelDescription
  const names = [...description.parameters, ...description.buffers].map(({ name }) => name)
  const kinds = names.map(() => 'tensor' as const)
  const bound = connection.call('model.bind', { names }, [module], kinds, { site })
  await bound.value
  return new Model(module, description, new Map(names.map((name, i) => [name, new DeviceTensor(bound.handles[i]!)])))
}

function predicate(filter: ParameterFilter | undefined): (parameter: Parameter) => boolean {
  if (filter === undefined) return () => true
  if (typeof filter === 'function') return filter
  const roles: readonly Role[] = typeof filter === 'string' ? [filter] : filter
  const unknown = roles.find((role) => !ROLES.includes(role))
  if (unknown !== undefined) throw new RangeError(`Expected a role of ${ROLES.join(', ')}, got \`${unknown}\``)
  return ({ role }) => roles.includes(role)
}
