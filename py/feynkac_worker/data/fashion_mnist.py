"""Fashion-MNIST, 28x28 pictures of clothes, IDX files (H. Xiao, K. Rasul, R. Vollgraf, arXiv:1708.07747)."""

from __future__ import annotations

from pathlib import Path

from feynkac_worker.data import _idx
from feynkac_worker.data._dataset import Loaded, Source
from feynkac_worker.data._files import folder
from feynkac_worker.errors import ServiceError

TITLE = "Fashion-MNIST"
EPSILON = 0.1
SPLITS = _idx.SPLITS
SOURCE = Source("fashion_mnist", TITLE, EPSILON, "https://github.com/zalandoresearch/fashion-mnist", "MIT", 10)
# Where Debian's package dataset-fashion-mnist puts the files.
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
# MD5 of the uncompressed files: Debian packs them anew, so its .gz files differ from the authors'.
OFFICIAL = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}


def load(root: str | None, split: str) -> Loaded:
    """60,000 training or 10,000 test images, plain or gzip.

    root: the folder of the files or the parent of `FashionMNIST/raw`; None for the folder of Debian's package.
    """
    if root is None and not DEBIAN.is_dir():
        raise ServiceError(
            f"Expected `root` to be the folder that holds {TITLE}, got none, "
            "and Debian's package `dataset-fashion-mnist` is not installed"
        )
    place = folder(root if root is not None else str(DEBIAN), TITLE)
    return _idx.load(SOURCE, [place, place / "FashionMNIST" / "raw"], split, OFFICIAL)
