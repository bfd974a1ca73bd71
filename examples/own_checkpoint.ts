// A PyTorch checkpoint that you already have: what it is, how robust it is, and a copy that plain PyTorch loads again.
//   npx ts-node examples/own_checkpoint.ts my-net.pt [data set] [data folder]
import { connect, evaluate, linf, paperA, sparsity } from 'feynkac'

async function main([path, name = 'fashion_mnist_subset', root]: string[]): Promise<void> {
  if (path === undefined) throw new Error('Expected the path of a checkpoint as the first argument, got nothing')
  await using session = await connect({ device: 'auto' })
  const net = await session.load(path)
  const data = await session.data(name, { split: 'test', root })
  const { inputChannels } = await sparsity({ session, model: net })
  console.log(
    `${net.description.architecture}: ${inputChannels.zero} of ${inputChannels.total} input channels are zero`,
  )

  const epsilon = data.epsilon ?? 0.031
  const threat = linf({ epsilon })
  const attacks = paperA({ epsilon, stepSize: epsilon / 4 })
  const { natural, attacks: robust } = await evaluate({
    session,
    model: net,
    data,
    attacks,
    threat,
    limit: 200,
    seed: 1,
  })
  console.log(`natural ${natural.correct} of ${natural.n}`)
  for (const [attack, { correct, n }] of Object.entries(robust)) console.log(`${attack} ${correct} of ${n}`)

  await net.save('copy.pt', { format: 'pt' })
  console.log('copy.pt: load it with torch.load("copy.pt", weights_only=True)')
}
main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
