// A network of your own, made by a factory in your own Python file, trained adversarially, attacked and inspected:
//   npx ts-node examples/own_module.ts
import { join } from 'node:path'
import { type Tensor, connect, craft, evaluate, fgsm, grad, int, linf, pgd, plan, sparsity, use } from 'feynkac'

async function main(): Promise<void> {
  // The permission to run Python code of yours. Without it nothing of the file is imported.
  await using session = await connect({ device: 'cpu', allowImports: true })
  const net = await session.adopt(`${join(__dirname, 'own_module.py')}:make`, { width: 8 }, { seed: 1 })

  // What a parameter is (conv, norm, linear, …) was read off your module, so that penalties know what to prune.
  console.log(`${net.description.architecture}: ${net.description.trainable} parameters`)
  console.log(`convolutions: ${net.names('conv').join(', ')}`)

  const data = await session.data('fashion_mnist_subset', { split: 'train' })
  const threat = linf({ epsilon: 0.1 })
  const attack = pgd({ stepSize: 0.05, iterations: 3 })
  const [optimizer, generator] = [session.sgd(net.parameters(), { momentum: 0.9 }), session.generator(1)]
  const step = plan('step', (start: Tensor) => {
    const clean = use(data.images).narrow(0, start, 64)
    const y = use(data.labels).narrow(0, start, 64)
    // `mode` reaches your module as train() and eval(); `generator` is for craft's random start.
    const network = (x: Tensor): Tensor => net.call(x, { mode: 'train', generator })
    const loss = network(craft({ attack, threat, network, clean, y, generator })).crossEntropy(y)
    optimizer.step(grad(loss, net.parameters()), 0.05)
    return loss.detach()
  })
  const losses = await session.items(Array.from({ length: 20 }, (_, batch) => step(int(64 * batch))))
  console.log(`adversarial loss ${losses[0]!.toFixed(3)} -> ${losses.at(-1)!.toFixed(3)}`)

  const { natural, attacks } = await evaluate({
    session,
    model: net,
    data: await session.data('fashion_mnist_subset', { split: 'test' }),
    attacks: { fgsm: fgsm({ epsilon: 0.1 }), pgd10: pgd({ stepSize: 0.025, iterations: 10 }) },
    threat,
    limit: 200,
    seed: 1,
  })
  for (const [name, { correct, n }] of Object.entries({ natural, ...attacks }))
    console.log(`${name} ${correct} of ${n}`)
  const { inputChannels } = await sparsity({ session, model: net })
  console.log(`${inputChannels.zero} of ${inputChannels.total} input channels are zero`)

  // A plain state_dict with the names of your module; session.load(path, { model: net }) and torch.load read it.
  await net.save('own_module.pt', { format: 'pt' })
}
main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
