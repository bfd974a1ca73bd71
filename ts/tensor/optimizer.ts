/** An optimiser of torch with its state (momentum buffers) in the worker. */
import type { Handle } from '../../bridge/handle'
import { PlanError } from '../../bridge/errors'
import { type NumberArg, type TensorArg, checkArg } from './arguments'
import { emitNode, requireTrace } from './emit'
import { HandleOwner } from './handle_owner'
import { opNamed } from './op_table'

/** Made by `session.sgd`. Both methods are used inside a plan, where they are effects. */
export class Optimizer extends HandleOwner {
  constructor(
    handle: Handle,
    /** How many parameters it updates. */
    readonly size: number,
  ) {
    super(handle)
  }

  /** One step with the given gradients, one a parameter in the order of construction, and learning rate. */
  step(grads: readonly TensorArg[], lr: NumberArg): void {
    const trace = requireTrace('optimizer.step', grads)
    const op = opNamed('optimizer_step')
    if (!Array.isArray(grads) || grads.length !== this.size) {
      const got = Array.isArray(grads) ? `${grads.length}` : typeof grads
      throw new PlanError(
        `Expected \`grads\` of optimizer.step to have one gradient for each of the ${this.size} parameters, got ${got}`,
        trace.here(op.name),
      )
    }
    emitNode(trace, op.name, [
      trace.capture(this.handle),
      checkArg(trace, op, op.args[1]!, grads),
      checkArg(trace, op, op.args[2]!, lr),
    ])
  }

  /** Forgets the momentum. */
  reset(): void {
    const trace = requireTrace('optimizer.reset')
    emitNode(trace, 'optimizer_reset', [trace.capture(this.handle)])
  }
}
