/**
 * Group l0: f(w) = lambda * #{ i : ||w[:, i]|| != 0 }, groups = input channels.
 * The penalty of RGSM (paper A, arXiv 2003.00631, Prox_Gl0).
 * prox keeps the channels with ||w[:, i]|| > sqrt(2 lambda gamma); the paper prints "!=" where ">" is meant.
 */
import type { Penalty, Scalar } from '../tensor/kinds'
import { expectScalar } from '../tensor/options'
import { channelNorms } from './shared/groups'
import { hardThreshold } from './shared/threshold'

export interface Options {
  /** The price of one input channel that is not zero, >= 0. */
  readonly lambda: Scalar
}

export default ({ lambda }: Options) => {
  expectScalar('lambda', lambda, { least: 0 })
  return {
    value: (w) => channelNorms(w).gt(0).sum().to('float32').mul(lambda),
    prox: (w, gamma) => w.where(channelNorms(w).gt(hardThreshold(lambda, gamma)), 0),
  } satisfies Penalty
}
