/**
 * l0: f(w) = lambda * #{ i : w_i != 0 }, the penalty of RVSM (paper A, arXiv 2003.00631, Algorithm 1).
 * prox keeps the entries with |w_i| > sqrt(2 lambda gamma). At the threshold both cost the same: the entry goes.
 */
import type { Penalty, Scalar } from '../tensor/kinds'
import { expectScalar } from '../tensor/options'
import { hardThreshold } from './shared/threshold'

export interface Options {
  /** The price of one entry that is not zero, >= 0. */
  readonly lambda: Scalar
}

export default ({ lambda }: Options) => {
  expectScalar('lambda', lambda, { least: 0 })
  return {
    value: (w) => w.ne(0).sum().to('float32').mul(lambda),
    prox: (w, gamma) => w.where(w.abs().gt(hardThreshold(lambda, gamma)), 0),
  } satisfies Penalty
}
