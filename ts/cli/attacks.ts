/** The attacks that `feynkac attack --attacks` knows: those of paper A's tables, and two stronger ones with options of their own. */
import type { Command } from 'commander'
import cw from '../attacks/cw'
import pgd from '../attacks/pgd'
import { paperA } from '../evaluation/suites'
import type { Attack } from '../tensor/kinds'
import { names, number, wholeNumber } from './options'

/** Those of the tables of paper A: measured when nothing is said. */
const USUAL = ['fgsm', 'ifgsm20', 'cw_paper'] as const
const ATTACKS = [...USUAL, 'pgd20', 'cw'] as const

export interface AttackOptions {
  readonly attacks: readonly string[]
  readonly restarts?: number
  readonly l2Bound?: number
  readonly cwSearches?: number
  readonly cwIterations?: number
}

/** Adds the options to a command. */
export const withAttackOptions = (command: Command): Command =>
  command
    .option('--attacks <list>', `some of ${ATTACKS.join(', ')}`, names(ATTACKS), [...USUAL])
    .option('--restarts <n>', 'runs of pgd20; an image counts as right when it is right after each', wholeNumber(1))
    .option('--l2-bound <size>', 'cw: answers farther away (l2 over all pixels, [0, 1] scale) do not count', number(0))
    .option('--cw-searches <n>', 'cw: weights that its binary search tries (9)', wholeNumber(1))
    .option('--cw-iterations <n>', 'cw: steps for each weight (1000)', wholeNumber(1))

/** Refuses an option without its attack, and `cw` without the bound: unbounded it has an answer for nearly every image. */
export function checkAttacks({ attacks, restarts, l2Bound, cwSearches, cwIterations }: AttackOptions): void {
  if (restarts !== undefined && !attacks.includes('pgd20'))
    throw new Error(`Expected \`--restarts\` with pgd20, which starts at random, got ${attacks.join(', ')}`)
  if (attacks.includes('cw') && l2Bound === undefined)
    throw new Error('Expected `--l2-bound` with the attack cw, such as 0.5 for CIFAR-10, got nothing')
  const ofCw = Object.entries({ 'l2-bound': l2Bound, 'cw-searches': cwSearches, 'cw-iterations': cwIterations })
  const stray = ofCw.find(([, value]) => value !== undefined)
  if (stray !== undefined && !attacks.includes('cw'))
    throw new Error(`Expected \`--${stray[0]}\` with the attack cw, got ${attacks.join(', ')}`)
}

/** The chosen attacks by name, in the order of the list above. */
export function attacksOf(
  options: AttackOptions,
  sizes: { epsilon: number; stepSize: number },
): Record<string, Attack> {
  const { attacks, l2Bound, cwSearches, cwIterations } = options
  const known: Record<(typeof ATTACKS)[number], () => Attack> = {
    fgsm: () => paperA(sizes).fgsm,
    ifgsm20: () => paperA(sizes).ifgsm20,
    cw_paper: () => paperA(sizes).cw_paper,
    pgd20: () => pgd({ stepSize: sizes.stepSize, iterations: 20 }),
    cw: () => cw({ bound: l2Bound, searches: cwSearches, iterations: cwIterations }),
  }
  return Object.fromEntries(ATTACKS.filter((name) => attacks.includes(name)).map((name) => [name, known[name]()]))
}

/** What belongs to the numbers besides the radius: printed and recorded where it applies. */
export const attackConditions = ({
  attacks,
  restarts,
  l2Bound,
  cwSearches = 9,
  cwIterations = 1000,
}: AttackOptions) => ({
  ...(attacks.includes('pgd20') && { restarts: restarts ?? 1 }),
  ...(attacks.includes('cw') && { cw: { l2Bound, searches: cwSearches, iterations: cwIterations } }),
})
