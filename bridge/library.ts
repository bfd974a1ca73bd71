/** zeromq, loaded late, so that a missing binary is one sentence. */
import { FeynkacError } from './errors'

export function loadZmq(): typeof import('zeromq') {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- see above
    const zmq = require('zeromq') as typeof import('zeromq')
    // Otherwise unsent messages keep the process from ending.
    zmq.context.blocky = false
    return zmq
  } catch (error) {
    throw new FeynkacError(
      `Expected the npm package zeromq to load its binary, got \`${(error as Error).message.split('\n')[0]}\`; run \`npm install zeromq\``,
    )
  }
}
