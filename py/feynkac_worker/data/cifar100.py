"""CIFAR-100 with its 100 fine labels, 32x32 colour images (A. Krizhevsky, 2009)."""

from __future__ import annotations

from feynkac_worker.data import _cifar
from feynkac_worker.data._dataset import Loaded, Source
from feynkac_worker.data._remote import Remote

TITLE = "CIFAR-100"
EPSILON = 0.031
SPLITS = _cifar.SPLITS
SOURCE = Source(
    "cifar100", TITLE, EPSILON, "https://www.cs.toronto.edu/~kriz/cifar.html", "not stated by the authors", 100
)
PYTHON = _cifar.Layout(
    "cifar-100-python",
    {
        "train": {"train": "16019d7e3df5f24257cddd939b257f8d"},
        "test": {"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
    },
)
# The authors publish no sums of the unpacked binary files.
BINARY = _cifar.Layout("cifar-100-binary", {"train": {"train.bin": None}, "test": {"test.bin": None}}, label_bytes=2)
REMOTES = (
    Remote(
        "cifar-100-python.tar.gz",
        169001437,
        "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
        ("https://www.cs.toronto.edu/~kriz/",),
        unpacks=PYTHON.subfolder,
    ),
)
CIFAR = _cifar.Cifar(SOURCE, b"fine_labels", (PYTHON, BINARY))


def load(root: str | None, split: str) -> Loaded:
    """50,000 training or 10,000 test images from `root`, python or binary version, direct or in the usual subfolder."""
    return _cifar.load(CIFAR, root, split)
