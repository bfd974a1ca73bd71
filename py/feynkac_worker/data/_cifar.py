"""The two layouts in which CIFAR-10 and CIFAR-100 are distributed (A. Krizhevsky, 2009).

python: pickled dicts with `data`, uint8 [n, 3072], and a list of labels.
binary: records of 1 (CIFAR-10) or 2 (CIFAR-100: coarse, fine) label bytes, then 3072 bytes.
In both an image is three 32x32 planes R, G, B, row by row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from feynkac_worker.data import _pickles
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
from feynkac_worker.data._files import content, folder
from feynkac_worker.errors import ServiceError

SPLITS = ("train", "test")
PIXELS = 3 * 32 * 32


@dataclass(frozen=True)
class Layout:
    """files: per split, file name -> official MD5 (None where none is known). label_bytes: 0 means pickled dicts."""

    subfolder: str
    files: Mapping[str, Mapping[str, str | None]]
    label_bytes: int = 0


@dataclass(frozen=True)
class Cifar:
    """label_key: of the pickled dicts. copies: known unofficial copies, checksum of a file -> what the copy is."""

    source: Source
    label_key: bytes
    layouts: tuple[Layout, ...]
    copies: Mapping[str, str] = field(default_factory=dict)


def load(cifar: Cifar, root: str | None, split: str) -> Loaded:
    """One split, from the layout that lies in `root` or in its usual subfolder."""
    check_split(split, SPLITS)
    place, layout = _find(cifar, folder(root, cifar.source.title), split)
    images, labels, checks = [], [], []
    for name, official in layout.files[split].items():
        path = place / name
        images_file, labels_file, check = _read(path, layout, cifar.label_key, official)
        check_count(str(path), len(images_file), len(labels_file))
        check_labels(str(path), labels_file, cifar.source.classes)
        images.append(images_file)
        labels.append(labels_file)
        checks.append(check)
    stacked = np.concatenate(images).reshape(-1, 3, 32, 32)
    return loaded(cifar.source, split, stacked, np.concatenate(labels), checks, cifar.copies)


def _find(cifar: Cifar, root: Path, split: str) -> tuple[Path, Layout]:
    for layout in cifar.layouts:
        for place in (root, root / layout.subfolder):
            if any((place / name).exists() for name in layout.files[split]):
                return place, layout
    wanted = " or ".join(f"`{next(iter(layout.files[split]))}`" for layout in cifar.layouts)
    inside = " or ".join(layout.subfolder for layout in cifar.layouts)
    raise ServiceError(
        f"Expected `{root}` (or {inside} inside it) to hold {wanted} of {cifar.source.title}, got neither"
    )


def _read(path: Path, layout: Layout, label_key: bytes, official: str | None) -> tuple[Array, Array, FileCheck]:
    data = content(path)
    images, labels = (
        _binary(str(path), data, layout.label_bytes) if layout.label_bytes else _python(str(path), data, label_key)
    )
    return images, labels, md5_check(path, data, official)


def _binary(file: str, data: bytes, label_bytes: int) -> tuple[Array, Array]:
    record = label_bytes + PIXELS
    if len(data) % record:
        raise ServiceError(f"Expected `{file}` to be a multiple of {record} bytes long, got {len(data)} bytes")
    records = np.frombuffer(data, np.uint8).reshape(-1, record)
    return records[:, label_bytes:], records[:, label_bytes - 1].astype(np.int64)


def _python(file: str, data: bytes, label_key: bytes) -> tuple[Array, Array]:
    batch = _pickles.read(file, data)
    images, labels = batch.get(b"data"), batch.get(label_key)
    if not isinstance(images, np.ndarray) or images.ndim != 2 or images.shape[1] != PIXELS:
        raise ServiceError(f"Expected `data` in `{file}` to be uint8 [n, {PIXELS}], got {_shown(images)}")
    small = range(-(2**31), 2**31)
    if type(labels) is not list or not all(type(label) is int and label in small for label in labels):
        raise ServiceError(
            f"Expected `{label_key.decode()}` in `{file}` to be a list of integers, got {_shown(labels)}"
        )
    return images, np.array(labels, np.int64)


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    return f"an array of shape {list(value.shape)}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
