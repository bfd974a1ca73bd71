/** Natural training: the mean cross-entropy on the clean images. */
import type { Loss } from '../tensor/kinds'

export default (): Loss => (net, clean, _adversarial, y) => net(clean).crossEntropy(y)
