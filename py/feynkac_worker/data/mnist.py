"""MNIST handwritten digits, 28x28, IDX files (Y. LeCun, C. Cortes, C. Burges, 1998)."""

from __future__ import annotations

from feynkac_worker.data import _idx
from feynkac_worker.data._dataset import Loaded, Source
from feynkac_worker.data._files import folder

TITLE = "MNIST"
EPSILON = 0.3
SPLITS = _idx.SPLITS
SOURCE = Source(
    "mnist",
    TITLE,
    EPSILON,
    "http://yann.lecun.com/exdb/mnist/",
    "not stated by the authors; often given as CC BY-SA 3.0",
    10,
)
# MD5 of the uncompressed files.
OFFICIAL = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def load(root: str | None, split: str) -> Loaded:
    """60,000 training or 10,000 test images from `root`, or from `MNIST/raw` inside it, plain or gzip."""
    place = folder(root, TITLE)
    return _idx.load(SOURCE, [place, place / "MNIST" / "raw"], split, OFFICIAL)
