// A penalty of your own with a splitting method of the package:  npx ts-node examples/own_penalty.ts
import { type Penalty, type Tensor, assign, connect, grad, int, plan, rvsm, use } from 'feynkac'

// l0 over whole filters w[i, :, :, :], where group l0 of paper A takes input channels w[:, i, :, :]:
//   f(w) = lambda * #{ i : ||w[i]|| != 0 },   prox keeps the filters with ||w[i]|| > sqrt(2 lambda gamma).
const filterL0 = ({ lambda }: { readonly lambda: number }): Penalty => {
  const norms = (w: Tensor): Tensor =>
    w
      .square()
      .sum({ dim: [1, 2, 3], keepdim: true })
      .sqrt()
  return {
    value: (w) => norms(w).gt(0).sum().to('float32').mul(lambda),
    prox(w, gamma) {
      // gamma may be a number or a tensor that changes from run to run.
      const threshold = typeof gamma === 'number' ? Math.sqrt(2 * lambda * gamma) : gamma.mul(2 * lambda).sqrt()
      return w.where(norms(w).gt(threshold), 0)
    },
  }
}

async function main(): Promise<void> {
  await using session = await connect({ device: 'cpu' })
  const data = await session.data('fashion_mnist_subset', { split: 'train' })
  const net = await session.model('resnet8', { width: 8, channels: 1, stem_stride: 2, seed: 1 })
  const weights = net.parameters('conv')
  const optimizer = session.sgd(net.parameters(), { momentum: 0.9 })

  // RVSM: the weights w are pulled towards their sparse copy u, and u is the prox of w. gamma = 1 / beta.
  const method = rvsm({ beta: 1, penalty: filterL0({ lambda: 0.5 }) })
  const { u } = plan('start', () => method.init(use(weights)))()

  const step = plan('step', (start: Tensor, lr: Tensor) => {
    const x = use(data.images).narrow(0, start, 64)
    const loss = net.call(x, { mode: 'train' }).crossEntropy(use(data.labels).narrow(0, start, 64))
    const gradients = grad(loss, net.parameters())
    method.pull(use(weights), { u: use(u) }, lr).forEach((w, i) => assign(weights[i]!, w))
    optimizer.step(gradients, lr)
    method.step(use(weights)).u.forEach((ui, i) => assign(u[i]!, ui))
    return loss.detach()
  })
  // The end of an epoch: w <- u, and how many filters are left.
  const replace = plan('replace', () => {
    method.replace(use(weights), { u: use(u) }).forEach((w, i) => assign(weights[i]!, w))
    const zero = use(u).map((w) =>
      w
        .abs()
        .amax({ dim: [1, 2, 3] })
        .eq(0)
        .sum(),
    )
    return zero.reduce((sum, count) => sum.add(count))
  })

  const filters = net.description.parameters
    .filter(({ role }) => role === 'conv')
    .reduce((sum, { shape }) => sum + shape[0]!, 0)
  for (let epoch = 0; epoch < 2; epoch++) {
    const losses = Array.from({ length: 12 }, (_, batch) => step(int(64 * batch), 0.05))
    const zero = await replace().item()
    const mean = (await session.items(losses)).reduce((sum, loss) => sum + loss, 0) / losses.length
    console.log(`epoch ${epoch}: loss ${mean.toFixed(3)}, ${zero} of ${filters} filters are zero`)
  }
}
main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
