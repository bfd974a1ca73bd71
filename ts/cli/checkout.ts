/** Which state of a checkout runs. */
import { execFileSync } from 'node:child_process'
import { packageRoot } from '../../bridge/root'

/** The commit of the checkout that runs, `+` appended when the tree has changes; null outside a checkout. */
export function commit(): string | null {
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', packageRoot(), ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  try {
    if (git('rev-parse', '--show-cdup') !== '') return null
    return (
      git('rev-parse', '--short=12', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+')
    )
  } catch {
    return null
  }
}
