/** A plan of removal for En2ResNet8 of any width from 4. */
import type { Widths } from '../../ts/tensor/graph'

/** Channels gone inside a block, selections before a batch norm, a dead branch in another block, a dead downsample path. */
export const widths: Widths = {
  version: 1,
  layers: {
    'ensemble.0.layer1.0.conv1': { out: [0, 2] },
    'ensemble.0.layer1.0.bn2': { out: [0, 2] },
    'ensemble.0.layer1.0.conv2': { in: [0, 2] },
    'ensemble.0.layer2.0.bn1': { out: [1, 3], select: true },
    'ensemble.0.layer2.0.conv1': { in: [1, 3] },
    'ensemble.0.layer2.0.downsample.0': { zero: true },
    'ensemble.1.layer1.0.bn1': { zero: true },
    'ensemble.1.layer1.0.conv1': { zero: true },
    'ensemble.1.layer1.0.bn2': { zero: true },
    'ensemble.1.layer1.0.conv2': { zero: true },
  },
}
