/**
 * Runs an attack inside a trace. The attack's author writes only the step; the random start, the iteration, the ball
 * around the clean image and the image box are kept here. A random network draws fresh noise at each call, since
 * `network` is called anew in each iteration.
 */
import { grad, repeat } from '../../tensor/functions'
import type { Attack, Network, Threat, Tree } from '../../tensor/kinds'
import type { Generator } from '../../tensor/generator'
import { Tensor } from '../../tensor/tensor'

/** What `craft` needs to run an attack. */
export interface CraftOptions {
  readonly attack: Attack
  readonly threat: Threat
  /** Mode, noise and generator are already chosen. */
  readonly network: Network
  /** Images `[batch, channels, height, width]` in [0, 1]. */
  readonly clean: Tensor
  /** Labels `[batch]`, int64. */
  readonly y: Tensor
  /** Draws the random start. */
  readonly generator: Generator
  /**
   * Whether the random start is put into the image box before the first gradient; the published code does not
   * (default).
   */
  readonly clampStart?: boolean
}

/** The images that the attack makes of the clean ones, of the same shape. */
export function craft({ attack, threat, network, clean, y, generator, clampStart = false }: CraftOptions): Tensor {
  const context: Tree = attack.context?.(network(clean), y) ?? []
  const start = startOf(attack, threat, clean, generator, clampStart)
  const end = repeat(attack.iterations, { x: start, state: attack.init?.(start) ?? [] }, ({ x, state }, index) => {
    const leaf = x.leaf()
    const logits = network(leaf)
    const loss = attack.loss?.(logits, y, context) ?? logits.crossEntropy(y, { reduction: 'none' })
    // The sum gives every image its own gradient, whatever the batch.
    const gradient = grad(loss.sum(), leaf)
    const stepped = attack.step(x, gradient, { clean, loss, state, index })
    const next = stepped instanceof Tensor ? { x: stepped, state } : stepped
    return { x: attack.within === 'threat' ? threat.project(next.x, clean) : next.x, state: next.state }
  })
  return attack.finish?.(end.x, { clean, state: end.state }) ?? end.x
}

function startOf(attack: Attack, threat: Threat, clean: Tensor, generator: Generator, clamp: boolean): Tensor {
  if (attack.start === 'clean') return clean
  const start = threat.start(clean, clean.randLike(generator))
  return clamp ? threat.project(start, clean) : start
}
