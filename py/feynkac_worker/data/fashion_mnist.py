"""Fashion-MNIST, 28x28 pictures of clothes, IDX files (H. Xiao, K. Rasul, R. Vollgraf, arXiv:1708.07747)."""

from __future__ import annotations

from pathlib import Path

from feynkac_worker.data import _idx
from feynkac_worker.data._dataset import Loaded, Source
from feynkac_worker.data._files import folder
from feynkac_worker.data._remote import Remote
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
HOMES = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
)
# The files as packed by the authors.
REMOTES = tuple(
    Remote(name, size, sha256, HOMES, "FashionMNIST/raw")
    for name, size, sha256 in (
        ("train-images-idx3-ubyte.gz", 26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        ("train-labels-idx1-ubyte.gz", 29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        ("t10k-images-idx3-ubyte.gz", 4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        ("t10k-labels-idx1-ubyte.gz", 5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    )
)


def load(root: str | None, split: str) -> Loaded:
    """60,000 training or 10,000 test images, plain or gzip.

    root: the folder of the files or the parent of `FashionMNIST/raw`; None for the folder of Debian's package.
    """
    if root is None and not DEBIAN.is_dir():
        raise ServiceError(
            f"Expected `root` (--data-root on the command line) to be the folder that holds {TITLE}, got none, "
            "and Debian's package `dataset-fashion-mnist` is not installed"
        )
    place = folder(root if root is not None else str(DEBIAN), TITLE)
    return _idx.load(SOURCE, [place, place / "FashionMNIST" / "raw"], split, OFFICIAL)
