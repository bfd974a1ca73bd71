"""SVHN, cropped 32x32 house numbers in colour, MATLAB 5 files (Y. Netzer et al., "Reading Digits in Natural Images with
Unsupervised Feature Learning", 2011). `X` is uint8 [32, 32, 3, n], `y` [n, 1] with label 10 for the digit 0."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from feynkac_worker.data import _mat5
from feynkac_worker.data._dataset import Array, Loaded, Source, check_count, check_split, loaded, md5_check
from feynkac_worker.data._files import content, folder
from feynkac_worker.data._remote import Remote
from feynkac_worker.errors import ServiceError

TITLE = "SVHN"
EPSILON = 0.031
SPLITS = ("train", "test")
_HOME = "http://ufldl.stanford.edu/housenumbers/"
SOURCE = Source("svhn", TITLE, EPSILON, _HOME, "for non-commercial use, as the authors' page says", 10)
# The authors publish no sums: these, and the SHA-256 below, are the ones that torchvision checks.
OFFICIAL = {
    "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
    "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
}
REMOTES = (
    Remote(
        "train_32x32.mat",
        182040794,
        "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
        (_HOME,),
    ),
    Remote(
        "test_32x32.mat",
        64275384,
        "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
        (_HOME,),
    ),
)


def load(root: str | None, split: str) -> Loaded:
    """73,257 training or 26,032 test images from `root`; the 531,131 extra images are no part of either split."""
    check_split(split, SPLITS)
    path = folder(root, TITLE) / f"{split}_32x32.mat"
    data = content(path)
    variables = _mat5.read(str(path), data)
    images, labels = _images(path, variables), _digits(path, variables)
    check_count(str(path), len(images), len(labels))
    return loaded(SOURCE, split, images, labels, [md5_check(path, data, OFFICIAL[path.name])])


def _images(path: Path, variables: dict[str, Array]) -> Array:
    x = variables.get("X")
    if x is None or x.dtype != np.uint8 or x.ndim not in (3, 4) or x.shape[:3] != (32, 32, 3):
        raise ServiceError(f"Expected `X` in `{path}` to be uint8 [32, 32, 3, n], got {_shown(x)}")
    if x.ndim == 3:
        x = x[..., None]  # MATLAB drops trailing axes of length one
    return np.require(x.transpose(3, 2, 0, 1), requirements=["C", "O", "W"])


def _digits(path: Path, variables: dict[str, Array]) -> Array:
    y = variables.get("y")
    if y is None or y.ndim != 2 or y.shape[1] != 1:
        raise ServiceError(f"Expected `y` in `{path}` to have the shape [n, 1], got {_shown(y)}")
    wrong = np.flatnonzero(~np.isin(y, np.arange(1, 11)))
    if len(wrong):
        raise ServiceError(
            f"Expected `y` in `{path}` to hold labels from 1 to 10, got {y[wrong[0], 0]} at index {wrong[0]}"
        )
    return y[:, 0].astype(np.int64) % 10


def _shown(array: Array | None) -> str:
    return "none" if array is None else f"{array.dtype} {list(array.shape)}"
