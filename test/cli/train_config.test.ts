/** The configurations that the options of `feynkac train` make. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { share } from '../../ts/cli/options'
import { type ConfigOptions, configOf } from '../../ts/cli/train_config'
import { checkConfig } from '../../ts/training/check'
import { admm, channelTarget, rgsm, rvsm, type TrainConfig } from '../../ts/training/config'
import { smokeConfig } from '../support/configs'

const make = (options: Partial<ConfigOptions>): TrainConfig => configOf({ preset: 'smoke', seed: 0, ...options }, 1)

test('without options it is the dense network of the preset', () => {
  expect(make({})).toEqual(smokeConfig())
})

test.each<[Partial<ConfigOptions>, Partial<TrainConfig>]>([
  [
    { method: 'rgsm', lambda: 0.05 },
    { splitting: rgsm({ beta: 1, lambda1: 0.05 }), lambda2: 1e-5 },
  ],
  [
    { method: 'rvsm', lambda: 1e-6, beta: 0.1 },
    { splitting: rvsm({ beta: 0.1, lambda: 1e-6 }), lambda2: 0 },
  ],
  [{ method: 'admm', percent: 50 }, { splitting: admm({ rho: 1e-2, percent: 50, of: 'channels' }) }],
  [
    { method: 'admm', percent: 80, rho: 1, of: 'weights', variant: 'paper' },
    { splitting: admm({ rho: 1, percent: 80, of: 'weights', variant: 'paper' }) },
  ],
  [{ targetChannels: 0.4 }, { ...channelTarget({ beta: 1, channels: 0.4, by: 'cubic' }), lambda2: 1e-5 }],
  [
    { method: 'rgsm', targetChannels: 0.4, targetBy: 'lambda', lambda: 0.1 },
    { ...channelTarget({ beta: 1, channels: 0.4, by: 'lambda', lambda1: 0.1 }), lambda2: 1e-5 },
  ],
  [
    { method: 'rgsm', lambda: 0.05, coupled: true, aside: true },
    { splitting: rgsm({ beta: 1, lambda1: 0.05, coupled: true, aside: true }), lambda2: 1e-5 },
  ],
  [{ averaging: 0.995 }, { averaging: { decay: 0.995 } }],
])('%j', (options, expected) => {
  const config = make(options)
  expect(config).toEqual({ ...smokeConfig(), ...expected })
  expect(checkConfig(config, 6000)).toBe(config)
})

test.each<[Partial<ConfigOptions>, string]>([
  [{ lambda: 1 }, 'Expected `--lambda` with --method rvsm or rgsm, got no method'],
  [{ method: 'none', beta: 1 }, 'Expected `--beta` with --method rvsm or rgsm, got none'],
  [{ method: 'admm', percent: 50, coupled: true }, 'Expected `--coupled` with --method rvsm or rgsm, got admm'],
  [{ method: 'rgsm' }, 'Expected `--lambda` with --method rgsm, got nothing'],
  [{ method: 'admm' }, 'Expected `--percent` with --method admm, got nothing'],
  [{ method: 'rgsm', rho: 1, lambda: 1 }, 'Expected `--rho` with --method admm, got rgsm'],
  [{ method: 'admm', targetChannels: 0.4 }, 'Expected `--target-channels` with --method rgsm, got admm'],
  [{ targetBy: 'cubic' }, 'Expected `--target-by` with --target-channels, got nothing'],
  [{ targetChannels: 0.4, lambda: 1 }, 'Expected no `--lambda` with --target-by cubic, which needs none, got one'],
])('refuses %j', (options, message) => {
  expect(() => make(options)).toThrow(new Error(message))
})

test('a file keeps its target unless the command line names a method', () => {
  const folder = mkdtempSync(join(tmpdir(), 'feynkac-config-'))
  const file = join(folder, 'config.json')
  const config = { ...smokeConfig(), ...channelTarget({ beta: 1, channels: 0.4, by: 'cubic' }) }
  writeFileSync(file, JSON.stringify(config))
  expect(make({ config: file })).toEqual(config)
  expect(make({ config: file, method: 'none' })).toEqual(smokeConfig())
  rmSync(folder, { recursive: true, force: true })
})

test('shares are fractions or percentages', () => {
  expect(['40%', '0.4', '.4', '0%', '100 %', '1'].map(share)).toEqual([0.4, 0.4, 0.4, 0, 1, 1])
  for (const text of ['40', '140%', '-1%', 'x', '']) expect(() => share(text)).toThrow(/^Expected a share in \[0, 1\]/)
})

test.each<[string, string | RegExp]>([
  ['{', /^Expected `--config` to be a JSON file, got `.*config\.json` \(/],
  ['{}', /^Expected `--config` to be a training configuration with a section `network`, got `.*` without it$/],
  ['[1]', /^Expected `--config` to be a training configuration with a section `network`, got `.*` without it$/],
])('a file of %s is refused with its name', (content, message) => {
  const folder = mkdtempSync(join(tmpdir(), 'feynkac-config-'))
  writeFileSync(join(folder, 'config.json'), content)
  expect(() => make({ config: join(folder, 'config.json') })).toThrow(message)
  rmSync(folder, { recursive: true })
})

test('the config.json of a run is a configuration file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'feynkac-config-'))
  const file = join(folder, 'config.json')
  writeFileSync(file, JSON.stringify({ method: 1, train: smokeConfig(), torch: '2.13.0' }))
  expect(make({ config: file })).toEqual(smokeConfig())
  rmSync(folder, { recursive: true })
})
