/** A package folder and Python interpreters that only pretend, so that every failure of the set-up can be staged. */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../setup/environment'

/**
 * Answers what the set-up asks a Python. Its behaviour comes from the environment: FAKE_VERSION; FAKE_MISSING (a JSON list of
 * missing parts); FAKE_MODULES (what the probe says of modules, JSON); FAKE_PIP (what pip prints before it fails, or `hang`).
 */
const FAKE = `#!/bin/sh
echo "$*" >> "$FAKE_CALLS"
case "$1 $2" in
  "-c "*) echo "\${FAKE_VERSION:-3.12.1}" ;;
  "-m venv") /bin/mkdir -p "$3/bin" && /bin/cp "$0" "$3/bin/python" ;;
  "-m pip")
    [ "$FAKE_PIP" = hang ] && exec /bin/sleep 600
    [ -n "$FAKE_PIP" ] && { echo "$FAKE_PIP"; exit 1; }
    exit 0 ;;
  *) echo "{\\"version\\": \\"\${FAKE_VERSION:-3.12.1}\\", \\"executable\\": \\"$0\\", \\"missing\\": \${FAKE_MISSING:-[]}, \\"modules\\": \${FAKE_MODULES:-{\\}}}" ;;
esac
`

export class FakePackage {
  readonly base = mkdtempSync(join(tmpdir(), 'feynkac-setup-'))
  readonly root: string
  readonly bin = join(this.base, 'bin')
  readonly lines: string[] = []
  readonly env: NodeJS.ProcessEnv

  /** @param installed as a dependency below node_modules, not as a clone */
  constructor({ installed = false } = {}) {
    this.root = installed ? join(this.base, 'project', 'node_modules', 'feynkac') : join(this.base, 'clone')
    mkdirSync(join(this.root, 'setup'), { recursive: true })
    mkdirSync(this.bin)
    writeFileSync(join(this.root, 'package.json'), '{"name": "feynkac", "version": "1.2.3"}')
    copyFileSync(join(packageRoot(), 'environment.yml'), join(this.root, 'environment.yml'))
    this.env = { PATH: this.bin, HOME: join(this.base, 'home'), FAKE_CALLS: join(this.base, 'calls') }
    writeFileSync(join(this.base, 'calls'), '')
  }

  /** What the functions of setup/ take. */
  place(env: NodeJS.ProcessEnv = {}) {
    return {
      root: this.root,
      env: { ...this.env, ...env },
      platform: 'linux' as const,
      log: (line: string) => void this.lines.push(line),
    }
  }

  /** Puts an executable on the fake PATH. */
  command(name: string, text = FAKE): string {
    const file = join(this.bin, name)
    writeFileSync(file, text)
    chmodSync(file, 0o755)
    return file
  }

  /** The arguments of every call of a fake Python since the last `forget`. */
  calls(): string[] {
    const calls = readFileSync(join(this.base, 'calls'), 'utf8').trim()
    return calls === '' ? [] : calls.split('\n')
  }

  forget(): void {
    writeFileSync(join(this.base, 'calls'), '')
  }

  remove(): void {
    rmSync(this.base, { recursive: true, force: true })
  }
}
