// An attack of your own, measured beside known ones on the same network and images:  npx ts-node examples/own_attack.ts
import { type Attack, type Tensor, connect, evaluate, fgsm, grad, int, linf, pgd, plan, use } from 'feynkac'

// PGD on the margin (the best other class above the label) in place of the cross-entropy, with steps that shrink to zero.
// Only loss and step are written here: the ball, the image box, the random start and the loop belong to the caller.
const annealedMargin = (stepSize: number, iterations: number): Attack<readonly [], Tensor> => ({
  iterations,
  start: 'random',
  within: 'threat',
  // Once, from the logits of the clean images: 1 at the label, `[batch, classes]`.
  context: (logits, y) => logits.zerosLike().scatter(1, y.unsqueeze(1), 1),
  loss: (logits, _y, label) =>
    logits
      .where(label.eq(0), -Infinity)
      .amax({ dim: [1] })
      .sub(logits.mul(label).sum({ dim: [1] })),
  // `index` is a tensor: the iteration is not known while the step is traced, so the step size is computed from it.
  step: (x, gradient, { index }) =>
    x.add(
      gradient.sign().mul(
        index
          .neg()
          .add(iterations)
          .mul(stepSize / iterations),
      ),
    ),
})

async function main(): Promise<void> {
  await using session = await connect({ device: 'cpu' })
  const train = await session.data('fashion_mnist_subset', { split: 'train' })
  const net = await session.model('resnet8', { width: 4, channels: 1, stem_stride: 2, seed: 1 })
  const optimizer = session.sgd(net.parameters(), { momentum: 0.9 })
  const step = plan('step', (start: Tensor) => {
    const x = use(train.images).narrow(0, start, 64)
    const loss = net.call(x, { mode: 'train' }).crossEntropy(use(train.labels).narrow(0, start, 64))
    optimizer.step(grad(loss, net.parameters()), 0.05)
  })
  for (let batch = 0; batch < 40; batch++) step(int(64 * batch))

  const epsilon = 0.02
  const { natural, attacks } = await evaluate({
    session,
    model: net,
    data: await session.data('fashion_mnist_subset', { split: 'test' }),
    attacks: {
      fgsm: fgsm({ epsilon }),
      pgd10: pgd({ stepSize: epsilon / 4, iterations: 10 }),
      annealed_margin10: annealedMargin(epsilon / 2, 10),
    },
    threat: linf({ epsilon }),
    limit: 200,
    seed: 1,
  })
  for (const [name, { correct, n }] of Object.entries({ natural, ...attacks }))
    console.log(`${name} ${correct} of ${n}`)
}
main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
