"""MNIST handwritten digits, 28x28, IDX files (Y. LeCun, C. Cortes, C. Burges, 1998)."""

from __future__ import annotations

from feynkac_worker.data import _idx
from feynkac_worker.data._dataset import Loaded, Source
from feynkac_worker.data._files import folder
from feynkac_worker.data._remote import Remote

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
# LeCun's page no longer serves the files; these two homes hold the same bytes.
HOMES = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
# The files as packed by the authors.
REMOTES = tuple(
    Remote(name, size, sha256, HOMES, "MNIST/raw")
    for name, size, sha256 in (
        ("train-images-idx3-ubyte.gz", 9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        ("train-labels-idx1-ubyte.gz", 28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        ("t10k-images-idx3-ubyte.gz", 1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        ("t10k-labels-idx1-ubyte.gz", 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    )
)


def load(root: str | None, split: str) -> Loaded:
    """60,000 training or 10,000 test images from `root`, or from `MNIST/raw` inside it, plain or gzip."""
    place = folder(root, TITLE)
    return _idx.load(SOURCE, [place, place / "MNIST" / "raw"], split, OFFICIAL)
