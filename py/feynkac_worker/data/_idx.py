"""IDX files, plain or gzip: two zero bytes, type 0x08 (uint8), number of dimensions, big-endian sizes, data.

Format: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section "File formats".
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from feynkac_worker.data._dataset import (
    Array,
    FileCheck,
    Loaded,
    Source,
    check_count,
    check_labels,
    check_split,
    loaded,
    md5_check,
)
from feynkac_worker.data._files import content
from feynkac_worker.errors import ServiceError

SPLITS = ("train", "test")
_PREFIX = {"train": "train", "test": "t10k"}


def load(source: Source, folders: list[Path], split: str, official: Mapping[str, str]) -> Loaded:
    """One split from the first of `folders` that holds it.

    official: MD5 of the uncompressed content by name without .gz, so that a file packed anew still counts.
    """
    check_split(split, SPLITS)
    path_images = _find(source, folders, f"{_PREFIX[split]}-images-idx3-ubyte")
    path_labels = _find(source, [path_images.parent], f"{_PREFIX[split]}-labels-idx1-ubyte")
    images, file_images = read(path_images, 3, official)
    labels, file_labels = read(path_labels, 1, official)
    check_count(str(path_labels), len(images), len(labels))
    check_labels(str(path_labels), labels, source.classes)
    return loaded(source, split, images[:, None].copy(), labels.astype(np.int64), [file_images, file_labels])


def read(path: Path, dimensions: int, official: Mapping[str, str]) -> tuple[Array, FileCheck]:
    """The uint8 array of an IDX file (read-only view) and the check of its content."""
    data = content(path)
    return parse(str(path), data, dimensions), md5_check(path, data, official.get(path.name.removesuffix(".gz")))


def parse(file: str, data: bytes, dimensions: int) -> Array:
    """IDX bytes to a read-only uint8 array. ServiceError: other magic, cut or surplus data."""
    magic, header = bytes([0, 0, 8, dimensions]), 4 + 4 * dimensions
    if data[:4] != magic:
        raise ServiceError(
            f"Expected `{file}` to begin with the IDX magic 0x{magic.hex()} (uint8, {dimensions} dimensions), "
            f"got {'0x' + data[:4].hex() if data else 'an empty file'}"
        )
    if len(data) < header:
        raise ServiceError(f"Expected `{file}` to have an IDX header of {header} bytes, got {len(data)} bytes")
    shape = struct.unpack(f">{dimensions}I", data[4:header])
    if len(data) - header != math.prod(shape) or 0 in shape[1:]:
        raise ServiceError(
            f"Expected `{file}` to hold {' x '.join(map(str, shape))} bytes after its header, got {len(data) - header}"
        )
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


def _find(source: Source, folders: list[Path], name: str) -> Path:
    for place in folders:
        for path in (place / name, place / f"{name}.gz"):
            if path.exists():
                return path
    raise ServiceError(f"Expected {source.title} to have the file `{folders[0] / name}` or its .gz, got no such file")
