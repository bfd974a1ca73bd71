"""CIFAR-10, 32x32 colour images (A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009)."""

from __future__ import annotations

from feynkac_worker.data import _cifar
from feynkac_worker.data._dataset import Loaded, Source
from feynkac_worker.data._remote import Remote

TITLE = "CIFAR-10"
EPSILON = 0.031
SPLITS = _cifar.SPLITS
SOURCE = Source(
    "cifar10", TITLE, EPSILON, "https://www.cs.toronto.edu/~kriz/cifar.html", "not stated by the authors", 10
)
PYTHON = _cifar.Layout(
    "cifar-10-batches-py",
    {
        "train": {
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        },
        "test": {"test_batch": "40351d587109b95175f43aff81a1287e"},
    },
)
BINARY = _cifar.Layout(
    "cifar-10-batches-bin",
    {
        "train": {
            "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
            "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
            "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
            "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
            "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
        },
        "test": {"test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d"},
    },
    label_bytes=1,
)
REMOTES = (
    Remote(
        "cifar-10-python.tar.gz",
        170498071,
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        ("https://www.cs.toronto.edu/~kriz/",),
        unpacks=PYTHON.subfolder,
    ),
)
# All images re-encoded as JPEG of quality 75 and unpacked with libjpeg-turbo: recognised so that tables name it.
_JPEG = (
    "6817186508b013b7f55cdc3512f658a5",
    "f4eb44c8c6cccad896f881bc0b5c4ce8",
    "a7776bc37b80202b2cd33531355d72da",
    "4e65463823bea1137bfee4020cd0ca71",
    "0bb424fe3e82ba415b7ee67a30fa7b17",
    "e550e8d8d18f948fe2eac3edebf8eb9a",
)
CIFAR = _cifar.Cifar(SOURCE, b"labels", (PYTHON, BINARY), {f"md5:{md5}": "JPEG q75 copy" for md5 in _JPEG})


def load(root: str | None, split: str) -> Loaded:
    """50,000 training or 10,000 test images from `root`, python or binary version, direct or in the usual subfolder."""
    return _cifar.load(CIFAR, root, split)
