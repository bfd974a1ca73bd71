/** `feynkac keys`: CURVE key pairs for a worker that listens and for its client. */
import { Command } from 'commander'
import { makeKeys } from '../../../bridge/attach/keys'

export function keysCommand(): Command {
  return new Command('keys')
    .description('make the keys for feynkac worker and its client')
    .argument('<dir>', 'folder for server.public, server.secret, client.public and client.secret (mode 0600)')
    .addHelpText(
      'after',
      '\nThe client needs server.public, client.public and client.secret; the worker server.secret and client.public.' +
        '\n\nExample:\n  npx feynkac keys ~/.feynkac-keys',
    )
    .action((folder: string) => {
      makeKeys(folder)
      process.stdout.write(`Keys for a worker and a client are in ${folder}.\n`)
    })
}
