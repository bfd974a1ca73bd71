"""The embedded part of Fashion-MNIST: 6,000 training and 1,000 test images, class-balanced (data/README.md)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from feynkac_worker.data import _idx
from feynkac_worker.data._dataset import FileCheck, Loaded, Source, check_count, check_labels, check_split, loaded
from feynkac_worker.data._files import content
from feynkac_worker.errors import ServiceError

TITLE = "Fashion-MNIST subset (6,000/1,000)"
EPSILON = 0.1
SPLITS = _idx.SPLITS
SOURCE = Source("fashion_mnist_subset", TITLE, EPSILON, "https://github.com/zalandoresearch/fashion-mnist", "MIT", 10)
FOLDER = Path(__file__).resolve().parents[3] / "data" / "fashion-mnist-subset"
_PREFIX = {"train": "train", "test": "t10k"}


def load(root: str | None, split: str) -> Loaded:
    """The split; `root` must be None. ServiceError when a file is not the one that the package was published with."""
    check_split(split, SPLITS)
    if root is not None:
        raise ServiceError(f"Expected `root` to be absent for the embedded {TITLE}, got `{root}`")
    return read(FOLDER, split)


def read(place: Path, split: str) -> Loaded:
    """A split of any folder made by data/make_fashion_mnist_subset.py."""
    known = _manifest(place / "manifest.json")
    files, arrays = [], []
    for stem, dimensions in (("images-idx3", 3), ("labels-idx1", 1)):
        name = f"{_PREFIX[split]}-{stem}-ubyte.gz"
        actual, expected = _sha256(place / name), known.get(name)
        if actual != expected:
            raise ServiceError(f"Expected the embedded `{place / name}` to have SHA-256 {expected}, got {actual}")
        files.append(FileCheck(place / name, f"sha256:{actual}", f"sha256:{expected}"))
        arrays.append(_idx.parse(str(place / name), content(place / name), dimensions))
    images, labels = arrays
    check_count(str(place), len(images), len(labels))
    check_labels(str(place), labels, SOURCE.classes)
    return loaded(SOURCE, split, images[:, None].copy(), labels.astype(np.int64), files)


def _manifest(path: Path) -> dict[str, str]:
    try:
        return dict(json.loads(content(path))["sha256"])
    except (ValueError, KeyError, TypeError):
        raise ServiceError(
            f"Expected the embedded `{path}` to be a JSON object with `sha256`, got other text"
        ) from None


def _sha256(path: Path) -> str:
    if not path.exists():
        raise ServiceError(f"Expected the embedded file `{path}`, got no such file")
    return hashlib.sha256(path.read_bytes()).hexdigest()
