/** The zero weights of a network in the worker: one plan, one read. */
import { cat, use } from '../tensor/functions'
import type { Model } from '../tensor/model'
import { plan } from '../tensor/plan'
import type { Session } from '../tensor/session'
import type { Tensor } from '../tensor/tensor'
import type { LayerLinks, Links } from './links'

const WEIGHTS = ['conv', 'downsample', 'linear']

/** A weight that is NaN counts as one that is there. */
const joins = (w: Tensor): Tensor => w.ne(0).flatten({ startDim: 2 }).any({ dim: 2 })

/** The links of all convolutions and linear layers by the names of their modules. */
export async function readLinks({ session, model }: { session: Session; model: Model }): Promise<Links> {
  const shapes = new Map(model.description.parameters.map(({ name, shape }) => [name, shape]))
  const modules = model.description.parameters
    .filter(({ name, role, shape }) => WEIGHTS.includes(role) && name.endsWith('.weight') && shape.length >= 2)
    .map(({ name }) => name.slice(0, -'.weight'.length))
  if (modules.length === 0) return new Map()
  const biased = modules.filter((module) => shapes.has(`${module}.bias`))
  const named = (suffix: string, list: readonly string[]) =>
    list.map((module) => model.parameters(({ name }) => name === `${module}.${suffix}`)[0]!)
  const weights = named('weight', modules)
  const biases = named('bias', biased)
  const read = plan(
    'zero weights',
    () =>
      cat(
        [
          ...use(weights).map((w, i) =>
            (shapes.get(`${modules[i]!}.weight`)!.length > 2 ? joins(w) : w.ne(0)).flatten(),
          ),
          ...use(biases).map((b) => b.ne(0)),
        ],
        0,
      ),
    { session },
  )
  const found = read()
  const { data } = await found.read()
  found.free()
  const bits = data as Uint8Array
  let next = 0
  const take = (length: number): Uint8Array => bits.slice(next, (next += length))
  const joined = modules.map((module): [string, LayerLinks] => {
    const [outputs, inputs] = shapes.get(`${module}.weight`) as [number, number]
    return [module, { outputs, inputs, joined: take(outputs * inputs), bias: null }]
  })
  const links = new Map(joined)
  for (const module of biased) {
    const own = links.get(module)!
    links.set(module, { ...own, bias: take(own.outputs) })
  }
  return links
}
