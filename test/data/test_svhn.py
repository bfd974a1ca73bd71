"""SVHN from MATLAB 5 files: both byte orders, packed or not, every storage of labels, and every refusal."""

from __future__ import annotations

import base64
import hashlib
import random
import struct
import zlib
from pathlib import Path

import mat_files as files
import numpy as np
import pytest

from feynkac_worker.data import _mat5, svhn
from feynkac_worker.errors import ServiceError

IMAGES = np.random.default_rng(6).integers(0, 256, (4, 3, 32, 32), np.uint8)
LABELS = np.array([10, 1, 9, 5], np.uint8)
# By scipy.io.savemat 1.17.1 (do_compression=True): a = uint8 [[1, 2, 3], [4, 5, 6]] and b = [[1.5], [10.0]].
SCIPY = base64.b64decode(
    "TUFUTEFCIDUuMCBNQVQtZmlsZSB3cml0dGVuIGJ5IHNjaXB5ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg"
    "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAAAAAAAAAAAAABSU0PAAAALAAAAHic42NgYLAAYjYg5gBiTgYIYIXymYCYGYgZ"
    "gTARygepZWRhYmUGMgAgjQDwDwAAAC0AAAB4nONjYGBwAGI2IOaA0iDACuUzATEjGDMyJAFpTiAWYICBH/YQWsUBADYpAos="
)


def write(folder: Path, data: bytes, split: str = "test") -> str:
    (folder / f"{split}_32x32.mat").write_bytes(data)
    return str(folder)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("split", ["train", "test"])
def test_loads(tmp_path: Path, order: str, packed: bool, split: str) -> None:
    data = files.svhn(IMAGES, LABELS, order=order, packed=packed)
    images, labels, description = svhn.load(write(tmp_path, data, split), split)
    assert images.dtype == np.uint8 and images.flags.c_contiguous and images.flags.writeable
    assert np.array_equal(images, IMAGES) and labels.dtype == np.int64 and labels.tolist() == [0, 1, 9, 5]
    assert description["shape"] == [3, 32, 32] and description["classes"] == 10 and description["epsilon"] == 0.031
    assert description["official"] is False and description["title"] == "SVHN (not the official files)"
    (file,) = description["files"]
    assert file["actual"] == f"md5:{hashlib.md5(data).hexdigest()}"
    assert file["expected"] == f"md5:{svhn.OFFICIAL[f'{split}_32x32.mat']}"


@pytest.mark.parametrize(("own", "stored"), [("f8", "u1"), ("f8", "f8"), ("u1", "u1"), ("i4", "u2")])
def test_labels_of_any_number_type(tmp_path: Path, own: str, stored: str) -> None:
    x = files.variable("X", IMAGES.transpose(2, 3, 1, 0))
    y = files.variable("y", LABELS[:, None].astype(own), stored=stored)
    assert svhn.load(write(tmp_path, files.mat(x, y)), "test").labels.tolist() == [0, 1, 9, 5]


def test_one_image_loses_its_last_axis_in_matlab(tmp_path: Path) -> None:
    x = files.variable("X", IMAGES[0].transpose(1, 2, 0))
    root = write(tmp_path, files.mat(x, files.variable("y", LABELS[:1, None])))
    assert np.array_equal(svhn.load(root, "test").images, IMAGES[:1])


def test_reads_a_file_of_scipy() -> None:
    found = _mat5.read("a.mat", SCIPY)
    assert found["a"].tolist() == [[1, 2, 3], [4, 5, 6]] and found["a"].dtype == np.uint8
    assert found["b"].tolist() == [[1.5], [10.0]] and found["b"].dtype == np.float64


def bomb() -> bytes:
    squeezed = zlib.compress(struct.pack("<II", 14, 64) + bytes(1 << 20))
    return files.mat(struct.pack("<II", 15, len(squeezed)) + squeezed)


X, Y = files.variable("X", IMAGES.transpose(2, 3, 1, 0), packed=False), files.variable("y", LABELS[:, None])
TEXT = (
    struct.pack("<II", 14, 48)
    + files.element("<", 6, struct.pack("<II", 4, 0))
    + files.element("<", 5, struct.pack("<ii", 1, 1))
    + files.element("<", 1, b"X")
    + files.element("<", 16, b"x")
)
REFUSALS = [
    (b"", r"to be a MATLAB 5 file, got an empty file$"),
    (b"\x89HDF" + bytes(200), r"to be a MATLAB 5 file, got another format$"),
    (files.mat(version=0x0200), r"got version 7.3 \(HDF5\)$"),
    (files.mat(version=0x0300), r"got version 0x0300$"),
    (files.mat(Y), r"`X` in `.*` to be uint8 \[32, 32, 3, n\], got none$"),
    (files.mat(X), r"`y` in `.*` to have the shape \[n, 1\], got none$"),
    (files.mat(TEXT, Y), r"`X` in `.*` to be uint8 \[32, 32, 3, n\], got none$"),
    (files.mat(X, Y, Y), r"intact MATLAB 5 file, got: two variables `y`$"),
    (files.mat(X[:-8], Y), r"intact MATLAB 5 file, got: "),
    (files.mat(X, Y[:-3]), r"got: an element of \d+ bytes where \d+ are left$"),
    (files.mat(Y, b"\0\0\0"), r"got: a cut element$"),
    (files.mat(struct.pack("<II", 3, 8) + bytes(8)), r"got: an element of type 3 at byte 128$"),
    (files.mat(files.variable("y", LABELS[:, None], flag=0x800)), r"got: complex numbers in `y`$"),
    (bomb(), r"got: an element that does not unpack to its 64 bytes$"),
    (files.mat(files.variable("X", np.zeros((32, 32, 3, 4))), Y), r"\[32, 32, 3, n\], got float64 \[32, 32, 3, 4\]$"),
    (files.mat(files.variable("X", IMAGES), Y), r"\[32, 32, 3, n\], got uint8 \[4, 3, 32, 32\]$"),
    (files.mat(X, files.variable("y", LABELS[None])), r"the shape \[n, 1\], got uint8 \[1, 4\]$"),
    (files.mat(X, files.variable("y", LABELS[:3, None])), r"one label for each of 4 images, got 3 labels$"),
    (files.mat(X, files.variable("y", np.array([[1], [0], [2], [3]], "u1"))), r"from 1 to 10, got 0 at index 1$"),
    (files.mat(X, files.variable("y", np.array([[1], [2.5], [2], [3]]))), r"from 1 to 10, got 2.5 at index 1$"),
    (files.svhn(IMAGES[:0], LABELS[:0]), r"at least one image, got none$"),
]


@pytest.mark.parametrize(("data", "message"), REFUSALS)
def test_refuses(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(ServiceError, match=r"^Expected .*" + message):
        svhn.load(write(tmp_path, data), "test")


def test_refuses_roots_and_splits(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"^Expected the file `.*train_32x32.mat`, got no such file$"):
        svhn.load(str(tmp_path), "train")
    with pytest.raises(ServiceError, match=r"^Expected `split` to be one of train, test, got `extra`$"):
        svhn.load(str(tmp_path), "extra")
    with pytest.raises(
        ServiceError,
        match=r"^Expected `root` \(--data-root on the command line\) to be the folder that holds SVHN, got none$",
    ):
        svhn.load(None, "test")


@pytest.mark.parametrize("packed", [False, True])
def test_damage_is_refused_or_loads(tmp_path: Path, packed: bool) -> None:
    # Half of the changes hit the headers: most of the bytes are pixels, where any value is right.
    whole, rng, refusals = files.svhn(IMAGES[:2], LABELS[:2], packed=packed), random.Random(packed), 0
    for _ in range(300):
        data = bytearray(whole)
        at = rng.choice([rng.randrange(116, 260), rng.randrange(len(data) - 130, len(data)), rng.randrange(len(data))])
        if rng.randrange(4):
            data[at] = rng.randrange(256)
        else:
            del data[at:]
        try:
            found = svhn.load(write(tmp_path, bytes(data)), "test")
            assert found.images.shape == (2, 3, 32, 32) and 0 <= found.labels.min() <= found.labels.max() <= 9
        except ServiceError as error:
            assert str(error).startswith("Expected `")
            refusals += 1
    assert refusals > 30
