/**
 * Transformed l1 of a size t >= 0: rho_a(t) = (a + 1) t / (a + t). It lies between l0 (a -> 0) and l1 (a -> infinity).
 * The proximal map of tau * rho_a (Zhang & Xin, arXiv 1412.5240) is 0 up to a threshold t*, and beyond it
 *   (2/3) (a + t) cos(phi / 3) - 2 a / 3 + t / 3,   phi = acos(1 - 27 tau a (a + 1) / (2 (a + t)^3))
 * written here as t - (4/3) (a + t) sin(phi / 6)^2: the difference is what the penalty takes off, and nothing cancels
 * when a is large or tau small.
 */
import { pow, sub } from '../../tensor/functions'
import type { Scalar } from '../../tensor/kinds'
import type { Tensor } from '../../tensor/tensor'

/** rho_a(t), entry by entry. */
export const transformedL1 = (t: Tensor, a: number): Tensor => t.mul(a + 1).div(t.add(a))

/** The proximal map of tau * rho_a at sizes t >= 0; tau is a literal or a 0-d tensor. */
export function shrinkTransformedL1(t: Tensor, tau: Scalar, a: number): Tensor {
  // s = sin(phi / 2). At sizes below t* it can exceed 1, where the cubic has no such root: the mask discards those.
  const s = pow(t.add(a), -1.5).mul(scale(tau, a)).minimum(1)
  const sixthOfPhi = sub(Math.PI / 2, s.acos()).div(3)
  const taken = sixthOfPhi
    .sin()
    .square()
    .mul(t.add(a))
    .mul(4 / 3)
  return t.sub(taken).where(t.gt(thresholdOf(tau, a)), 0)
}

/** sqrt(27 tau a (a + 1) / 4). */
const scale = (tau: Scalar, a: number): Scalar =>
  typeof tau === 'number' ? Math.sqrt((27 * tau * a * (a + 1)) / 4) : tau.mul((27 * a * (a + 1)) / 4).sqrt()

/** t*: for small tau the slope of the penalty at 0; for large tau the size at which zero costs as much as the root. */
function thresholdOf(tau: Scalar, a: number): Scalar {
  const change = a ** 2 / (2 * (a + 1))
  const slope = (a + 1) / a
  if (typeof tau === 'number') return tau <= change ? tau * slope : Math.sqrt(2 * tau * (a + 1)) - a / 2
  const jump = tau
    .mul(2 * (a + 1))
    .sqrt()
    .sub(a / 2)
  return tau.mul(slope).where(tau.le(change), jump)
}
