/** Named suites of test attacks. */
import cwPaper from '../attacks/cw_paper'
import fgsm from '../attacks/fgsm'
import ifgsm from '../attacks/ifgsm'
import type { Attack } from '../tensor/kinds'

/**
 * The attacks of paper A's tables (arXiv 2003.00631): A2 FGSM with a step of epsilon, A3 IFGSM20 from the clean image
 * (published step 0.007 at epsilon 0.031), A4 the C&W of the released code.
 */
export const paperA = ({ epsilon, stepSize }: { epsilon: number; stepSize: number }) =>
  ({
    fgsm: fgsm({ epsilon }),
    ifgsm20: ifgsm({ stepSize, iterations: 20 }),
    cw_paper: cwPaper(),
  }) satisfies Record<string, Attack>
