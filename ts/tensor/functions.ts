/** Functions of a plan: those of the op table that are not methods, and the structural ones. */
import { PlanError } from '../../bridge/errors'
import { type TensorArg, checkArg, shown } from './arguments'
import { DeviceTensor } from './device_tensor'
import { emitNode, requireTrace, takeApart as takeListApart } from './emit'
import type { Tree } from './kinds'
import { opNamed } from './op_table'
import { Symbolic, valueOf } from './symbolic'
import { Tensor, wrapAll } from './tensor'
import { Trace } from './trace'
import { putTogether, shapeText, takeApart, taker } from './tree'
import type { Value } from './value'

export * from './creation'

/** Tensors of the worker, or symbolic ones, in arrays and plain objects. */
export type TensorTree = TensorArg | readonly TensorTree[] | { readonly [key: string]: TensorTree }

/** The same tree with a symbolic tensor at every leaf. */
export type Traced<T> = T extends TensorArg ? Tensor : { [K in keyof T]: Traced<T[K]> }

/**
 * Gradients of `loss`, a 0-d tensor, in the structure of `wrt`: results of `leaf()`, or parameters of a model.
 * Several gradients of one forward pass share its graph. Source: torch.autograd.grad.
 */
export function grad<W extends TensorTree>(loss: TensorArg, wrt: W): Traced<W> {
  const trace = requireTrace('grad', [loss, wrt])
  const op = opNamed('grad')
  const values: Value[] = []
  const shape = takeApart(wrt, (leaf, path) => values.push(differentiable(trace, leaf, `wrt${path}`)))
  const args = [checkArg(trace, op, op.args[0]!, loss), { list: values }]
  const list = emitNode(trace, 'grad', args, 'list')
  return putTogether(shape, taker(wrapAll(takeListApart(list, values.length)))) as Traced<W>
}

/**
 * Runs `body` `times` times: carry' = body(carry, index), index a 0-d int64 tensor from 0. Gives the last carry. The body is traced once;
 * what it uses from outside is captured, and stays the same in every iteration, except for slots that it assigns.
 * @throws PlanError when the body's result has another structure than the carry
 */
export function repeat<C extends Tree>(times: number | TensorArg, carry: C, body: (carry: C, index: Tensor) => C): C {
  const trace = requireTrace('repeat', [times, carry])
  const op = opNamed('repeat')
  if (typeof times === 'number' && times < 0) {
    throw new PlanError(
      `Expected \`times\` of repeat to be an integer from 0, got \`${times}\` (number)`,
      trace.here('repeat'),
    )
  }
  const count = checkArg(trace, op, op.args[0]!, times)
  const carries: Value[] = []
  const shape = takeApart(carry, (leaf, path) => carries.push(tensorAt(trace, leaf, `carry${path}`)))

  const inner = new Trace(trace.name, trace, trace.here().loc)
  const inputs = wrapAll(carries.map(() => inner.input('tensor', 'carry')))
  const index = new Tensor(inner.input('scalar', 'index'))
  const outputs: Value[] = []
  inner.run(() => {
    const result: unknown = body(putTogether(shape, taker(inputs)) as C, index)
    const resultShape = takeApart(result, (leaf, path) =>
      outputs.push(tensorAt(inner, leaf, `the carry${path} that the body of repeat gives`)),
    )
    if (shapeText(resultShape) !== shapeText(shape)) {
      const expected = `the structure of the carry, ${shapeText(shape)}`
      throw new PlanError(
        `Expected the body of repeat to give ${expected}, got ${shapeText(resultShape)}`,
        inner.here('repeat'),
      )
    }
  })
  const { level, captured } = inner.finish(outputs)
  const list = emitNode(
    trace,
    'repeat',
    [count, { body: level }, { list: carries }, { list: captured as Value[] }],
    'list',
  )
  return putTogether(shape, taker(wrapAll(takeListApart(list, carries.length)))) as C
}

/**
 * Copies `value` into the fixed storage of `slot`: a tensor of the worker, or an input of the plan. Shapes and dtypes must agree.
 * Nodes traced afterwards see the new numbers, also through symbolic tensors of `slot` that were made before.
 */
export function assign(slot: TensorArg, value: TensorArg): void {
  const trace = requireTrace('assign', [slot, value])
  const target = tensorAt(trace, slot, 'slot')
  if (target.node !== null || rootOf(target).source === 'carry' || target.kind === 'scalar') {
    throw new PlanError(
      `Expected \`slot\` of assign to be a tensor of the worker or an argument of the plan, got ${target.describe()}`,
      trace.here('assign'),
    )
  }
  emitNode(trace, 'assign', [target, tensorAt(trace, value, 'value')])
}

/** The tensors of the worker in `tree` as symbolic tensors of the open plan, which captures them. */
export function use<T extends TensorTree>(tree: T): Traced<T> {
  const trace = requireTrace('use', [tree])
  const leaves: Value[] = []
  const shape = takeApart(tree, (leaf, path) => leaves.push(tensorAt(trace, leaf, `tree${path}`, 'use')))
  return putTogether(shape, taker(wrapAll(leaves))) as Traced<T>
}

/** Reserved for several processes, where it will sum over them: in one process, the same list. */
export function reduce(list: readonly TensorArg[]): Tensor[] {
  const trace = requireTrace('reduce', list)
  const values = list.map((item, i) => tensorAt(trace, item, `list[${i}]`))
  return wrapAll(takeListApart(emitNode(trace, 'reduce', [{ list: values }], 'list'), values.length))
}

function tensorAt(trace: Trace, leaf: unknown, path: string, use = 'repeat'): Value {
  if (leaf instanceof Symbolic) return trace.resolve(valueOf(leaf), use)
  if (leaf instanceof DeviceTensor) return trace.capture(leaf.handle)
  const name = /^\w[\w.[\]]*$/.test(path) ? `\`${path}\`` : path
  throw new PlanError(`Expected ${name} to be a tensor, got ${shown(leaf)}`, trace.here())
}

const rootOf = (value: Value): Value => {
  for (let root = value; ; root = root.source) if (!isValue(root.source)) return root
}

const isValue = (source: Value['source']): source is Value =>
  typeof source === 'object' && source !== null && 'trace' in source

// Worker and trace agree: printing and checking pass a leaf on.
const PASSING = new Set(['print', 'check_finite'])

function differentiable(trace: Trace, leaf: unknown, path: string): Value {
  const value = tensorAt(trace, leaf, path, 'grad')
  let root = rootOf(value)
  while (root.node !== null && PASSING.has(root.node.op.name)) root = rootOf(root.node.args[0] as Value)
  const made = root.node !== null && root.node.op.name !== 'leaf'
  if (made || root.source === 'carry' || root.source === 'index' || root.kind !== 'tensor') {
    const message = `Expected \`${path}\` of grad to be a result of leaf() or a parameter, got ${root.describe()}; pass it through \`.leaf()\` and compute the loss from that`
    throw new PlanError(message, trace.here('grad'))
  }
  return value
}
