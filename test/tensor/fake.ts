/** A connection that remembers what a plan asked of it; handles of it are enough to call plans without Python. */
import type { Connection } from '../../bridge/connection'
import { Handle } from '../../bridge/handle'
import type { HandleKind, WireArg } from '../../bridge/messages'
import { DeviceTensor } from '../../ts/tensor/device_tensor'
import { Generator } from '../../ts/tensor/generator'
import { Model, type ModelDescription } from '../../ts/tensor/model'
import { Optimizer } from '../../ts/tensor/optimizer'

export interface Run {
  readonly bound: number
  readonly args: readonly WireArg[]
  readonly outputs: readonly Handle[]
  readonly flags: number
}

export class FakeConnection {
  alive = true
  readonly plans: Uint8Array[] = []
  readonly bounds: { readonly plan: number; readonly captured: readonly Handle[] }[] = []
  readonly runs: Run[] = []
  private ids = 0

  handle(kind: HandleKind = 'tensor'): Handle {
    return new Handle(++this.ids, kind, this)
  }

  tensor(): DeviceTensor {
    return new DeviceTensor(this.handle())
  }

  generator(): Generator {
    return new Generator(this.handle('generator'))
  }

  optimizer(size: number): Optimizer {
    return new Optimizer(this.handle('optimizer'), size)
  }

  /** A network of one convolution and a bias. */
  model(): Model {
    const parameters = [
      { name: 'conv.weight', shape: [4, 1, 3, 3], role: 'conv' },
      { name: 'fc.bias', shape: [10], role: 'bias' },
    ] as const
    const description: ModelDescription = {
      ...{ name: 'tiny', options: {}, architecture: 'Tiny', members: 1, trainable: 46 },
      parameters,
      buffers: [{ name: 'bn.running_mean', shape: [4] }],
    }
    const names = ['conv.weight', 'fc.bias', 'bn.running_mean']
    return new Model(this.handle('module'), description, new Map(names.map((name) => [name, this.tensor()])))
  }

  get connection(): Connection {
    return this as unknown as Connection
  }

  define(plan: Uint8Array): number {
    return this.plans.push(plan)
  }

  bind(plan: number, captured: readonly Handle[]): number {
    return this.bounds.push({ plan, captured })
  }

  run(bound: number, args: readonly WireArg[], count: number, _site: unknown, flags: number): Handle[] {
    const outputs = Array.from({ length: count }, () => this.handle())
    this.runs.push({ bound, args, outputs, flags })
    return outputs
  }

  release(handle: Handle): void {
    handle.retire(undefined)
  }
}
