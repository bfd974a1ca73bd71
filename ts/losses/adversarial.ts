/**
 * Adversarial training: the mean cross-entropy on the final adversarial images alone (Madry et al.; paper A, arXiv
 * 2003.00631).
 */
import type { Loss } from '../tensor/kinds'

export default (): Loss => (net, _clean, adversarial, y) => net(adversarial).crossEntropy(y)
