/** Zeros for a network in the worker, as pruning leaves them, and weights of norms that hide nothing. */
import { assign, rand, randn, use } from '../../ts/tensor/functions'
import { plan } from '../../ts/tensor/plan'
import type { DeviceTensor, Model, Session } from '../../ts/tensor/session'

/** Zeroes random input channels of all layers but the first, and draws norms away from 1 and 0. */
export function zeroChannels(session: Session, model: Model, seed: number, share = 0.5): void {
  const generator = session.generator(seed)
  const { parameters, buffers } = model.description
  const roles = ['conv', 'downsample', 'linear']
  const layers = parameters.filter(({ role }) => roles.includes(role)).slice(1)
  const weights = layers.map(({ name }) => model.parameters((parameter) => parameter.name === name)[0]!)
  const statistics = model.buffers().filter((_, i) => /running_(mean|var)$/.test(buffers[i]!.name))
  plan(
    'zero channels',
    () => {
      weights.forEach((w, i) => {
        const [, inputs, ...space] = layers[i]!.shape as [number, number]
        const keep = rand([1, inputs, ...space.map(() => 1)], generator).ge(share)
        assign(w, use(w).where(keep, 0))
      })
      for (const x of [...model.parameters('norm'), ...statistics])
        assign(x, use(x).add(use(x).randnLike(generator).mul(0.2)).abs())
    },
    { session },
  )()
}

/** Sets the weights (not the biases) of these modules to zero. */
export function zeroModules(session: Session, model: Model, modules: readonly string[]): void {
  const weights = model.parameters(({ name }) => modules.some((module) => name === `${module}.weight`))
  if (weights.length !== modules.length) throw new Error('Expected modules that exist')
  plan('zero modules', () => weights.forEach((w) => assign(w, use(w).mul(0))), { session })()
}

/** `[n, channels, height, width]` of standard normal numbers. */
export const randomImages = (session: Session, size: readonly number[], n: number, seed: number): DeviceTensor =>
  plan('images', () => randn([n, ...size], session.generator(seed)), { session })()
