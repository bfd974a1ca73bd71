/** A worker with everything in it: tensors, models, data sets, generators. Opened with `connect`, closed with `await using` or `close()`. */
import { resolve } from 'node:path'
import { Connection } from '../../bridge/connection'
import { FeynkacError } from '../../bridge/errors'
import type { Welcome } from '../../bridge/messages'
import type { ConnectionOptions } from '../../bridge/options'
import { type PythonControl, PythonObject } from '../../bridge/python'
import { parseSpec } from '../../bridge/spec'
import { shown, type Dtype } from './arguments'
import { DeviceTensor } from './device_tensor'
import { tellForgottenUse } from './forgotten_use'
import { Generator } from './generator'
import { HandleOwner } from './handle_owner'
import { type HostData, toBytes } from './host_data'
import { Model, makeModel } from './model'
import { Optimizer } from './optimizer'
import { expectKeys } from './options'
import { takeApart } from './tree'

export { DeviceTensor, type HostTensor, type TensorArray } from './device_tensor'
export { Generator } from './generator'
export type { GraphNode, LayerWidths, ModelGraph, GraphKind, Widths } from './graph'
export { HandleOwner } from './handle_owner'
export type { HostData } from './host_data'
export {
  Model,
  type CallOptions,
  type ExportedModel,
  type ModelDescription,
  type Parameter,
  type ParameterFilter,
  type Role,
} from './model'
export { Optimizer } from './optimizer'
export { type PythonControl, PythonObject } from '../../bridge/python'

tellForgottenUse()

/** Device, threads and limits of the worker, and how long to wait for it. */
export type ConnectOptions = ConnectionOptions

/** What the worker says about itself. */
export type WorkerInfo = Welcome

/** Anything that lives in the worker. */
export type Handle = HandleOwner

/** What a data set is. */
export interface DataDescription {
  /** As `session.data` takes it. */
  readonly name: string
  /** As it is printed. */
  readonly title: string
  /** `train` or `test`. */
  readonly split: string
  /** How many images. */
  readonly n: number
  /** Channels, height, width. */
  readonly shape: readonly number[]
  /** How many; labels count from 0. */
  readonly classes: number
  /** The radius that papers use for it, on the [0, 1] image scale; null where there is no usual one. */
  readonly epsilon: number | null
  /** Where it was published. */
  readonly source: string
  readonly licence: string
  readonly files: readonly DataFile[]
  /** Whether all files are the published ones. */
  readonly official: boolean
  /** SHA-256 of images and labels. */
  readonly checksum: string
}

/** A file that was read, with its checksum beside the published one, null where none is known. */
export interface DataFile {
  readonly file: string
  readonly path: string
  readonly expected: string | null
  readonly actual: string
  readonly matches: boolean | null
}

/** A split of a data set on the device: images float32 `[n, channels, height, width]` in [0, 1], labels int64 `[n]`. */
export interface Dataset extends DataDescription {
  readonly images: DeviceTensor
  readonly labels: DeviceTensor
}

/** Which network a checkpoint holds, where the file does not tell. */
export interface LoadOptions {
  /** One of the worker's networks. */
  readonly name?: string
  /** Options of that network; they win over those of the file. */
  readonly options?: Readonly<Record<string, unknown>>
  /** A network to copy, in place of a name. */
  readonly model?: Model
}

/** Options of torch.optim.SGD; everything is 0 or false by default. The learning rate is an argument of each step. */
export interface SgdOptions {
  readonly momentum?: number
  readonly nesterov?: boolean
  readonly weightDecay?: number
  readonly dampening?: number
}

/** Where the worker's memory stands, in bytes. */
export interface Memory {
  /** A count, not bytes. */
  readonly handles: number
  readonly tensorBytes: number
  readonly rssBytes: number
  readonly cudaAllocatedBytes: number
}

/**
 * Starts a worker. Rejects with one sentence when Python, torch or the device is missing (`npx feynkac doctor` tells which).
 * @throws WorkerLostError when the worker ends while it starts
 */
export async function connect(options: ConnectOptions = {}): Promise<Session> {
  return new Session(await Connection.open(options))
}

/** Commands are issued in order and pipelined; reads (`item`, `read`, `items`) are the only points that wait. */
export class Session implements AsyncDisposable {
  constructor(readonly connection: Connection) {}

  /** Functions and live objects of your own Python; needs `connect({ launcher: 'pythonia', allowImports: true })`. */
  get python(): PythonControl {
    const { python } = this.connection
    if (python) return python
    throw new FeynkacError("Expected a session opened with `launcher: 'pythonia'`, got one with another launcher")
  }

  /** Versions, device and threads. */
  get info(): WorkerInfo {
    return this.connection.welcome
  }

  /**
   * Uploads numbers in row-major order. The shape is that of the data when absent: `[length]`, or `[]` for a number.
   * The dtype is that of a typed array; numbers become float32 when absent. Uint8Array may also hold bool.
   */
  put(data: HostData, shape?: readonly number[], dtype?: Dtype): DeviceTensor {
    const { bytes, ...tensor } = toBytes(data, shape, dtype)
    return new DeviceTensor(this.connection.put(bytes, tensor.dtype, tensor.shape, { site: this.put }))
  }

  /** A stream of random numbers with its own state. */
  generator(seed: number): Generator {
    if (!Number.isSafeInteger(seed))
      throw new FeynkacError(`Expected \`seed\` to be an integer within 2^53, got ${shown(seed)}`)
    const { handles } = this.connection.call('generator.create', { seed }, [], ['generator'], { site: this.generator })
    return new Generator(handles[0]!)
  }

  /** A new network, its weights drawn with `seed` (0 when absent). Names and options are those of the worker's models. */
  async model(
    name: string,
    options: Readonly<Record<string, unknown>> & { readonly seed?: number } = {},
  ): Promise<Model> {
    const { seed = 0, ...rest } = options
    return makeModel(this.connection, 'model.create', { name, options: rest, seed }, [], this.model)
  }

  /**
   * The network of a checkpoint. `name` and `options` say what it is when the file does not tell. With `model`, such as a network of
   * your own that was adopted: a copy of it with the weights of the file; `model` itself stays as it is.
   */
  async load(path: string, options: LoadOptions = {}): Promise<Model> {
    expectKeys('options of load', options, [], ['name', 'options', 'model'])
    const { model, ...rest } = options
    if (model !== undefined && (rest.name !== undefined || rest.options !== undefined))
      throw new FeynkacError('Expected `model`, or `name` and `options`, in the options of load, got both')
    const params = { path: resolve(path), ...rest }
    return makeModel(this.connection, 'checkpoint.load', params, handlesOf(model ? [model] : []), this.load)
  }

  /**
   * A network of your own: what the factory `file.py:name` (or `module:name`) makes with these keyword arguments, its weights drawn
   * with `seed` (0 when absent); or a live module that `session.python.make` gave. It lives in the worker, beside ours. Needs a session opened with `allowImports: true`.
   */
  async adopt(
    factory: string | PythonObject,
    options: Readonly<Record<string, unknown>> = {},
    { seed = 0 }: { readonly seed?: number } = {},
  ): Promise<Model> {
    const params = factory instanceof PythonObject ? { object: factory.id } : { ...parseSpec(factory), options, seed }
    return makeModel(this.connection, 'model.adopt', params, [], this.adopt)
  }

  /** SGD over these parameters, in this order. */
  sgd(parameters: readonly DeviceTensor[], options: SgdOptions = {}): Optimizer {
    expectKeys('options of sgd', options, [], ['momentum', 'nesterov', 'weightDecay', 'dampening'])
    const { momentum = 0, nesterov = false, weightDecay = 0, dampening = 0 } = options
    const params = { kind: 'sgd', momentum, nesterov, weightDecay, dampening }
    const inputs = parameters.map(({ handle }) => handle)
    const { handles } = this.connection.call('optimizer.create', params, inputs, ['optimizer'], { site: this.sgd })
    return new Optimizer(handles[0]!, parameters.length)
  }

  /** Loads one split of a data set into the worker. `root` is the folder of its files; absent for embedded ones. */
  async data(name: string, options: { split: 'train' | 'test'; root?: string }): Promise<Dataset> {
    const { split, root } = options
    const params = { name, split, root: root === undefined ? null : resolve(root) }
    const { value, handles } = this.connection.call('data.load', params, [], ['tensor', 'tensor'], { site: this.data })
    const [images, labels] = handles.map((handle) => new DeviceTensor(handle)) as [DeviceTensor, DeviceTensor]
    return { ...((await value) as DataDescription), images, labels }
  }

  /** The numbers in tensors of one element each, in one message. */
  async items(tensors: readonly DeviceTensor[], options: { signal?: AbortSignal } = {}): Promise<number[]> {
    return this.connection.items(
      tensors.map(({ handle }) => handle),
      { ...options, site: this.items },
    )
  }

  /** Any service of the worker (PROTOCOL.md, "Methods of CALL"): its value. */
  async call(
    method: string,
    params: Readonly<Record<string, unknown>>,
    inputs: readonly Handle[] = [],
  ): Promise<unknown> {
    return this.connection.call(method, params, handlesOf(inputs), [], { site: this.call }).value
  }

  /** Writes the state of models, optimizers, generators and tensors into one file, atomically. */
  async saveState(path: string, parts: Readonly<Record<string, Handle>>, metadata: unknown): Promise<void> {
    const params = { path: resolve(path), names: Object.keys(parts), metadata }
    await this.connection.call('state.save', params, handlesOf(Object.values(parts)), [], { site: this.saveState })
      .value
  }

  /** Restores in place what `saveState` wrote, also parts that an error has spoiled; gives the metadata. */
  async loadState(path: string, parts: Readonly<Record<string, Handle>>): Promise<unknown> {
    const params = { path: resolve(path), names: Object.keys(parts) }
    const { value } = this.connection.call('state.load', params, handlesOf(Object.values(parts)), [], {
      site: this.loadState,
    })
    return ((await value) as { metadata: unknown }).metadata
  }

  /** Resolves when another command fits in the window: put it into loops that issue commands. */
  async ready(options: { signal?: AbortSignal } = {}): Promise<void> {
    await this.connection.ready(options)
  }

  /** Resolves when everything issued so far is done. A failure shows at the next read of what it spoiled, or at `close()`. */
  async barrier(options: { signal?: AbortSignal } = {}): Promise<void> {
    await this.connection.barrier(options)
  }

  /** Cancels everything issued so far that has not ended. */
  cancel(): void {
    this.connection.cancel()
  }

  /** What the worker holds now. */
  async memory(): Promise<Memory> {
    return (await this.connection.call('device.memory', {}, [], [], { site: this.memory }).value) as Memory
  }

  /** Frees everything made inside `fn` at its end, except what it returns. Holds across awaits. */
  async scope<T>(fn: () => T | Promise<T>): Promise<T> {
    return this.connection.scope(async (scope) => {
      const result = await fn()
      // A model owns its parameters, which the bridge does not know.
      takeApart(result, (leaf) => leaf instanceof Model && scope.keep([...leaf.parameters(), ...leaf.buffers()]))
      return result
    })
  }

  /** Counters of commands, messages, reads, bytes, handles and plans. */
  stats(): ReturnType<Connection['stats']> {
    return this.connection.stats()
  }

  /** Ends the worker once everything is done, and throws the first error that nobody has seen. */
  async close(): Promise<void> {
    await this.connection.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

const handlesOf = (owners: readonly Handle[]) => owners.map(({ handle }) => handle)
