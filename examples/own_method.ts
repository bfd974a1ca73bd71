// An attack and a splitting step of your own, and a training loop around them:  npx ts-node examples/own_method.ts
import { type Attack, type Splitting, type Tensor, assign, connect, craft, grad, int, linf, plan, use } from 'feynkac'

// Momentum iterative FGSM (Dong et al., arXiv 1710.06081). Only the step: ball, image box and random start belong to craft().
const momentumFgsm = (stepSize: number, iterations: number): Attack<{ velocity: Tensor }> => ({
  iterations,
  start: 'random',
  within: 'threat',
  init: (x) => ({ velocity: x.zerosLike() }),
  step: (x, gradient, { state }) => {
    const velocity = state.velocity.add(gradient.div(gradient.abs().mean({ dim: [1, 2, 3], keepdim: true })))
    return { x: x.add(velocity.sign().mul(stepSize)), state: { velocity } }
  },
})

// A splitting method that pulls the weights towards their `keep` largest entries (hard thresholding by count).
const largest = (w: Tensor, keep: number): Tensor => {
  const sorted = w.abs().flatten().sort({ descending: true })[0]
  return w.where(w.abs().ge(sorted.narrow(0, keep - 1, 1)), 0)
}
const topK = (beta: number, keep: number): Splitting<{ u: readonly Tensor[] }> => ({
  init: (w) => ({ u: w.map((wi) => largest(wi, keep)) }),
  pull: (w, { u }, lr) => w.map((wi, i) => wi.sub(wi.sub(u[i]!).mul(lr).mul(beta))),
  step: (w) => ({ u: w.map((wi) => largest(wi, keep)) }),
  replace: (_w, { u }) => [...u],
})

async function main(): Promise<void> {
  await using session = await connect({ device: 'cpu' })
  const data = await session.data('fashion_mnist_subset', { split: 'train' })
  const net = await session.model('enresnet8', { members: 2, width: 4, channels: 1, stem_stride: 2, seed: 1 })
  const weights = net.parameters('conv')
  const [optimizer, generator] = [session.sgd(net.parameters(), { momentum: 0.9 }), session.generator(1)]
  const method = topK(1, 20)
  const attack = momentumFgsm(0.05, 3)
  const threat = linf({ epsilon: 0.1 })
  const { u } = plan('start', () => method.init(use(weights)))()

  const step = plan('step', (start: Tensor, lr: Tensor) => {
    const clean = use(data.images).narrow(0, start, 64)
    const y = use(data.labels).narrow(0, start, 64)
    const network = (x: Tensor): Tensor => net.call(x, { mode: 'train', generator })
    const loss = network(craft({ attack, threat, network, clean, y, generator })).crossEntropy(y)
    const gradients = grad(loss, net.parameters())
    method.pull(use(weights), { u: use(u) }, lr).forEach((w, i) => assign(weights[i]!, w))
    optimizer.step(gradients, lr)
    method.step(use(weights), { u: use(u) }).u.forEach((ui, i) => assign(u[i]!, ui))
    return loss.detach()
  })

  for (let epoch = 0; epoch < 2; epoch++) {
    const losses = Array.from({ length: 8 }, (_, batch) => step(int(64 * batch), epoch === 0 ? 0.1 : 0.01))
    const mean = (await session.items(losses)).reduce((sum, loss) => sum + loss, 0) / losses.length
    console.log(`epoch ${epoch}: adversarial loss ${mean.toFixed(3)} over ${losses.length} batches of 64`)
  }
}
main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
