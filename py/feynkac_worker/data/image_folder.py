"""The user's own images, one folder a class: `train/CLASS/*.png` and `test/CLASS/*.png`, PNG or JPEG.

Classes are numbered in the order of their names (by code point) over both splits, so that a class which one split lacks
does not shift the others. Images are taken as they are stored: grey or RGB, 8 bits, all of one size; no scaling, no
rotation by EXIF, no transparency. Pillow decodes them; it is imported here only, so that nothing else needs it.
"""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from feynkac_worker.data._dataset import (
    Array,
    FileCheck,
    Loaded,
    Source,
    check_split,
    description,
    md5_check,
)
from feynkac_worker.data._files import MAX_BYTES, content, folder
from feynkac_worker.errors import ServiceError

TITLE = "Your own folders of PNG or JPEG images"
EPSILON: float | None = None
SPLITS = ("train", "test")
_SUFFIXES = (".png", ".jpg", ".jpeg")
# Palettes and single bits unfold to these without loss.
_UNFOLD = {"L": "L", "1": "L", "RGB": "RGB", "P": "RGB"}


def load(root: str | None, split: str) -> Loaded:
    """The images of `root/split`, in the order of class, then file name."""
    check_split(split, SPLITS)
    place = folder(root, TITLE)
    classes = _classes(place, split)
    paths = [(path, label) for label, name in enumerate(classes) for path in _images(place / split / name)]
    if not paths:
        raise ServiceError(f"Expected `{place / split}` to hold at least one PNG or JPEG image, got none")
    images, files = _decode([path for path, _ in paths])
    labels = np.array([label for _, label in paths], np.int64)
    source = Source("image_folder", place.name, EPSILON, str(place), "the user's own", len(classes))
    return Loaded(images, labels, description(source, split, images, labels, files, place.name, official=False))


def _classes(place: Path, split: str) -> list[str]:
    if not (place / split).is_dir():
        raise ServiceError(f"Expected the folder `{place / split}` with one folder a class, got no such folder")
    found: set[str] = set()
    for path in _visible([place / name for name in SPLITS if (place / name).is_dir()]):
        if not path.is_dir():
            raise ServiceError(f"Expected `{path.parent}` to hold one folder a class, got the file `{path.name}`")
        found.add(path.name)
    return sorted(found)


def _images(place: Path) -> list[Path]:
    paths = _visible([place] if place.is_dir() else [])
    for path in paths:
        if path.suffix.lower() not in _SUFFIXES or not path.is_file():
            raise ServiceError(f"Expected `{place}` to hold PNG and JPEG images only, got `{path.name}`")
    return paths


def _visible(places: Sequence[Path]) -> list[Path]:
    """What lies in these folders, by name, without what systems hide in them (.DS_Store)."""
    try:
        return [path for place in places for path in sorted(place.iterdir()) if not path.name.startswith(".")]
    except OSError as error:
        raise ServiceError(f"Expected `{error.filename}` to be readable, got: {error.strerror or error}") from None


def _decode(paths: Sequence[Path]) -> tuple[Array, list[FileCheck]]:
    """uint8 [n, channels, height, width], and the check of each file."""
    images: Array | None = None
    files = []
    for index, path in enumerate(paths):
        data = content(path)
        pixels = _pixels(path, data)
        if images is None:
            if len(paths) * pixels.size > MAX_BYTES:
                raise ServiceError(
                    f"Expected {len(paths)} images like `{path}` to take at most {MAX_BYTES} bytes, "
                    f"got {len(paths) * pixels.size}"
                )
            images = np.empty((len(paths), *pixels.shape), np.uint8)
        if pixels.shape != images.shape[1:]:
            raise ServiceError(
                f"Expected all images to have one size, got {_shown(images[0])} in `{paths[0]}` and "
                f"{_shown(pixels)} in `{path}`"
            )
        images[index] = pixels
        files.append(md5_check(path, data, None))
    assert images is not None
    return images, files


def _pixels(path: Path, data: bytes) -> Array:
    """uint8 [channels, height, width]."""
    try:
        from PIL import Image
    except ImportError:
        raise ServiceError(
            f"Expected the Python package `pillow` for images in folders, found none; "
            f"install it with: {sys.executable} -m pip install pillow"
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow only warns of a file that unpacks to hundreds of megabytes
            with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
                mode, clear = image.mode, "transparency" in image.info
                image.load()
                array = np.asarray(image.convert(_UNFOLD.get(mode, mode)))
    except Exception as error:  # whatever a damaged file raises is the file's fault
        raise ServiceError(f"Expected `{path}` to be an intact PNG or JPEG image, got: {_reason(error)}") from None
    if mode not in _UNFOLD or clear:
        got = f"mode {mode}{' with transparency' if clear else ''}"
        raise ServiceError(f"Expected `{path}` to be grey or RGB with 8 bits and no transparency, got {got}")
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def _reason(error: Exception) -> str:
    # Pillow's sentence for unknown content shows the address of our buffer.
    return "another format" if type(error).__name__ == "UnidentifiedImageError" else str(error) or type(error).__name__


def _shown(pixels: Array) -> str:
    channels, height, width = pixels.shape
    return f"{width}x{height} {'grey' if channels == 1 else 'RGB'}"
