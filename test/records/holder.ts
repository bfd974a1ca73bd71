/** Run in a child process by run_folder.test.ts: holds a run folder and appends metrics until it is killed. */
import { RunFolder } from '../../ts/records/run_folder'

const folder = RunFolder.open(process.argv[2] ?? '', 'a', { network: 'resnet8', seed: 0 })
let epoch = 0

function append(): void {
  folder.append({ epoch: ++epoch, loss: 1 / epoch })
  if (epoch === 3) process.stdout.write('three epochs\n')
  setImmediate(append)
}

// Ends with the test, also when the test is stopped before it kills this process.
process.stdin.on('end', () => process.exit(0)).resume()
append()
