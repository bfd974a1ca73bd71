/** The control plane of the embedded worker: functions of the user's Python, called from TypeScript. Never tensors, never in a loop. */
import { ServiceError } from './errors'
import type { PythonBridge } from './launcher'
import { decodePlain, encodePlain } from './plain'
import { parseSpec } from './spec'

/** An object that stays in Python. `session.adopt` takes it over as a network; calls take it as an argument. */
export class PythonObject {
  constructor(
    readonly id: number,
    /** Its class in Python. */
    readonly className: string,
    private readonly bridge: PythonBridge,
  ) {}

  /** Forgets it. A network that adopted it lives on. */
  async drop(): Promise<void> {
    await this.bridge.ask('drop_object', JSON.stringify(this.id))
  }
}

/** Functions and live objects of your own Python in the embedded worker: `session.python`. */
export class PythonControl {
  constructor(private readonly bridge: PythonBridge) {}

  /**
   * Calls `file.py:function` or `package.module:function`; resolves to its value, which must be plain: numbers (NaN and infinities too;
   * bigint beyond 2^53), strings, booleans, null, lists and string-keyed maps. Calls run one after the other, beside the commands.
   */
  async call(
    spec: string,
    args: readonly unknown[] = [],
    options: Readonly<Record<string, unknown>> = {},
  ): Promise<unknown> {
    return this.ask('run_function', spec, args, options)
  }

  /** The same, but what the function gives stays in Python. */
  async make(
    spec: string,
    args: readonly unknown[] = [],
    options: Readonly<Record<string, unknown>> = {},
  ): Promise<PythonObject> {
    const made = (await this.ask('make_object', spec, args, options)) as { object: number; class: string }
    return new PythonObject(made.object, made.class, this.bridge)
  }

  private async ask(
    what: 'run_function' | 'make_object',
    spec: string,
    args: readonly unknown[],
    options: Readonly<Record<string, unknown>>,
  ): Promise<unknown> {
    const request = encodePlain({ ...parseSpec(spec), args, options }, (value) =>
      value instanceof PythonObject ? { $object: value.id } : undefined,
    )
    const answer = JSON.parse(await this.bridge.ask(what, request)) as { error?: string; value?: unknown }
    if (answer.error !== undefined) throw new ServiceError(answer.error)
    return decodePlain(answer.value)
  }
}
