"""What every data set loader returns, with the checks that hold for all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from feynkac_worker.errors import ServiceError

Array = npt.NDArray[Any]


class Loaded(NamedTuple):
    """One split in host memory.

    images: uint8 [n, channels, height, width] (0 to 255), or float32 of the same shape in [0, 1]; C-contiguous.
    labels: int64 [n].
    description: the data description of PROTOCOL.md plus `checksum`, the SHA-256 of the bytes of `images`
        (as returned here), then `labels` (little-endian).
    """

    images: Array
    labels: Array
    description: dict[str, Any]


@dataclass(frozen=True)
class Source:
    """Where a data set comes from and what its split is, the constant part of a description."""

    name: str
    title: str
    epsilon: float | None
    url: str
    licence: str
    classes: int


@dataclass(frozen=True)
class FileCheck:
    """A file that was read, with its checksum beside the official one (None where no official one is known)."""

    path: Path
    actual: str
    expected: str | None

    @property
    def matches(self) -> bool | None:
        return None if self.expected is None else self.actual == self.expected

    def wire(self) -> dict[str, Any]:
        return {
            "file": self.path.name,
            "path": str(self.path.resolve()),
            "expected": self.expected,
            "actual": self.actual,
            "matches": self.matches,
        }


def md5_check(path: Path, content: bytes, official: str | None) -> FileCheck:
    """MD5 because that is what the authors published; it tells copies apart, it does not guard against forgery."""
    actual = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return FileCheck(path, f"md5:{actual}", None if official is None else f"md5:{official}")


def loaded(
    source: Source,
    split: str,
    images: Array,
    labels: Array,
    files: list[FileCheck],
    copies: Mapping[str, str] | None = None,
) -> Loaded:
    """Describe checked arrays. Files that are not the official ones show in the title, so that no table hides it.

    copies: known unofficial copies, checksum of a file -> what the copy is.
    """
    official = all(file.matches for file in files)
    title = source.title
    if not official:
        kinds = {(copies or {}).get(file.actual, "") for file in files}
        unknown = "files not verified" if all(file.matches is None for file in files) else "not the official files"
        title += f" ({kinds.pop() if len(kinds) == 1 and '' not in kinds else unknown})"
    return Loaded(images, labels, description(source, split, images, labels, files, title, official))


def description(
    source: Source, split: str, images: Array, labels: Array, files: list[FileCheck], title: str, official: bool
) -> dict[str, Any]:
    """The data description of PROTOCOL.md."""
    return {
        "name": source.name,
        "title": title,
        "split": split,
        "n": len(labels),
        "shape": list(images.shape[1:]),
        "classes": source.classes,
        "epsilon": source.epsilon,
        "source": source.url,
        "licence": source.licence,
        "files": [file.wire() for file in files],
        "official": official,
        "checksum": checksum(images, labels),
    }


def checksum(images: Array, labels: Array) -> str:
    """SHA-256 over the bytes of images, then labels, both little-endian and C-contiguous."""
    digest = hashlib.sha256(np.ascontiguousarray(images, dtype=images.dtype.newbyteorder("<")).data)
    digest.update(np.ascontiguousarray(labels, dtype="<i8").data)
    return digest.hexdigest()


def check_labels(file: str, labels: Array, classes: int) -> None:
    """ServiceError unless every label lies in 0 … classes - 1."""
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(wrong):
        first = int(wrong[0])
        raise ServiceError(
            f"Expected `{file}` to hold labels from 0 to {classes - 1}, got {labels[first]} at index {first}"
        )


def check_count(file: str, images: int, labels: int) -> None:
    """ServiceError unless there is one label an image, and at least one image."""
    if images != labels:
        raise ServiceError(f"Expected `{file}` to hold one label for each of {images} images, got {labels} labels")
    if images == 0:
        raise ServiceError(f"Expected `{file}` to hold at least one image, got none")


def check_split(split: str, splits: tuple[str, ...]) -> None:
    """ServiceError for a split that the data set does not have."""
    if split not in splits:
        raise ServiceError(f"Expected `split` to be one of {', '.join(splits)}, got `{split}`")
