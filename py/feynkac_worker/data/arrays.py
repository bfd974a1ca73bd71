"""The user's own images and labels: one .npz or .safetensors file, or a folder with `train` and `test` files.

Keys for the split `train` (likewise `test`): `x_train`/`y_train`, `train_images`/`train_labels`, or
`images_train`/`labels_train`. Plain `images`/`labels` or `x`/`y` belong to the split that names the file in a folder;
in a single file they are the test split, so that nothing is ever tested on what it was trained on by accident.
`classes` (one integer) may say how many classes there are; otherwise it is the largest label plus one.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from feynkac_worker.data._dataset import (
    Array,
    FileCheck,
    Loaded,
    Source,
    check_count,
    check_labels,
    check_split,
    description,
    md5_check,
)
from feynkac_worker.data._files import MAX_BYTES, content
from feynkac_worker.errors import ServiceError

TITLE = "Your own arrays (.npz or .safetensors)"
EPSILON: float | None = None
SPLITS = ("train", "test")
_SUFFIXES = (".npz", ".safetensors")
_CHANNELS = (1, 2, 3, 4)
_MAX_CLASSES = 1 << 20


def load(root: str | None, split: str) -> Loaded:
    """A split of the file or folder `root`; images uint8 or float in [0, 1], as NHW, NCHW or NHWC; integer labels."""
    check_split(split, SPLITS)
    path, plain = _file(root, split)
    arrays, check = _read(path)
    image_key, label_key = _keys(path, arrays, split, plain)
    images = _images(path, image_key, arrays[image_key])
    labels = _labels(path, label_key, arrays[label_key])
    check_count(str(path), len(images), len(labels))
    classes = _classes(path, arrays, labels)
    check_labels(str(path), labels, classes)
    source = Source("arrays", path.name, EPSILON, str(path), "the user's own", classes)
    return Loaded(images, labels, description(source, split, images, labels, [check], path.name, official=False))


def _file(root: str | None, split: str) -> tuple[Path, bool]:
    """The file, and whether plain keys in it mean this split."""
    path = Path(root or "")
    if not path.is_absolute():
        raise ServiceError(f"Expected `root` to be the absolute path of a .npz or .safetensors file, got `{root}`")
    if path.is_dir():
        found = [path / f"{split}{suffix}" for suffix in _SUFFIXES if (path / f"{split}{suffix}").exists()]
        if len(found) != 1:
            got = "both" if found else "neither"
            raise ServiceError(f"Expected `{path}` to hold `{split}.npz` or `{split}.safetensors`, got {got}")
        return found[0], True
    if path.suffix not in _SUFFIXES:
        raise ServiceError(f"Expected `{path}` to be a .npz or .safetensors file or a folder with such, got neither")
    return path, split == "test"


def _read(path: Path) -> tuple[dict[str, Array], FileCheck]:
    check = md5_check(path, content(path), None)
    try:
        return (_npz(path) if path.suffix == ".npz" else load_file(path)), check
    except ServiceError:
        raise
    except Exception as error:  # whatever a damaged file raises is the file's fault
        raise ServiceError(
            f"Expected `{path}` to be an intact {path.suffix} file, got: {str(error) or type(error).__name__}"
        ) from None


def _npz(path: Path) -> dict[str, Array]:
    with zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > MAX_BYTES:
        raise ServiceError(f"Expected `{path}` to unpack to at most {MAX_BYTES} bytes, got {size}")
    with np.load(path, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def _keys(path: Path, arrays: dict[str, Array], split: str, plain: bool) -> tuple[str, str]:
    pairs = [
        (f"x_{split}", f"y_{split}"),
        (f"{split}_images", f"{split}_labels"),
        (f"images_{split}", f"labels_{split}"),
    ]
    if plain:
        pairs += [("images", "labels"), ("x", "y")]
    found = [pair for pair in pairs if pair[0] in arrays and pair[1] in arrays]
    if len(found) != 1:
        wanted = " or ".join(f"`{x}` and `{y}`" for x, y in pairs)
        listed = ", ".join(f"`{key}`" for key in sorted(arrays)[:20]) or "no arrays"
        raise ServiceError(f"Expected `{path}` to hold {wanted} for the split {split}, got {listed}")
    return found[0]


def _images(path: Path, key: str, images: Array) -> Array:
    """[n, channels, height, width], uint8 or float32 in [0, 1], C-contiguous and writable."""
    floats = images.dtype.kind == "f"
    if not floats and images.dtype != np.uint8:
        raise ServiceError(f"Expected `{key}` in `{path}` to be uint8, or floats in [0, 1], got {images.dtype}")
    if images.size == 0:
        raise ServiceError(f"Expected `{key}` in `{path}` to hold images, got the empty shape {list(images.shape)}")
    images = _planes(path, key, images)
    if floats:
        low, high = float(images.min()), float(images.max())
        if not (low >= 0 and high <= 1):
            raise ServiceError(f"Expected `{key}` in `{path}` to be in [0, 1], got values from {low:g} to {high:g}")
    return np.require(images, np.float32 if floats else np.uint8, ["C", "W"])


def _planes(path: Path, key: str, images: Array) -> Array:
    shape = list(images.shape)
    if images.ndim == 3:
        return images[:, None]
    if images.ndim != 4 or (shape[1] not in _CHANNELS and shape[3] not in _CHANNELS):
        raise ServiceError(
            f"Expected `{key}` in `{path}` to be [n, h, w], [n, c, h, w] or [n, h, w, c] with 1 to 4 channels, "
            f"got {shape}"
        )
    if shape[1] in _CHANNELS and shape[3] in _CHANNELS:
        raise ServiceError(
            f"Expected `{key}` in `{path}` to have one axis of 1 to 4 channels, got {shape}, which has two"
        )
    return images if shape[1] in _CHANNELS else images.transpose(0, 3, 1, 2)


def _labels(path: Path, key: str, labels: Array) -> Array:
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise ServiceError(
            f"Expected `{key}` in `{path}` to be integers of shape [n], "
            f"got {labels.dtype} of shape {list(labels.shape)}"
        )
    # unsigned 64-bit values beyond int64 would wrap to negative ones, which check_labels refuses
    return labels.astype(np.int64)


def _classes(path: Path, arrays: dict[str, Array], labels: Array) -> int:
    given = arrays.get("classes")
    if given is not None and (given.size != 1 or given.dtype.kind not in "iu"):
        raise ServiceError(f"Expected `classes` in `{path}` to be one integer, got {given.dtype} {list(given.shape)}")
    classes = max(int(labels.max()) + 1, 1) if given is None else int(given.item())
    if not 0 < classes <= _MAX_CLASSES:
        raise ServiceError(f"Expected `{path}` to have from 1 to {_MAX_CLASSES} classes, got {classes}")
    return classes
