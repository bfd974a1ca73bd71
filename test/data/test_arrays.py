"""The user's own .npz and .safetensors: layouts, keys, splits, and every refusal."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from feynkac_worker.data import arrays
from feynkac_worker.errors import ServiceError

RNG = np.random.default_rng(2)
GRAY = RNG.integers(0, 256, (4, 6, 5), np.uint8)
COLOUR = RNG.integers(0, 256, (4, 3, 8, 7), np.uint8)
LABELS = np.array([0, 2, 1, 2])


def npz(path: Path, **content: Any) -> str:
    np.savez(path, **content)
    return str(path)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize(
    ("images", "planes"),
    [(GRAY, GRAY[:, None]), (COLOUR, COLOUR), (np.ascontiguousarray(COLOUR.transpose(0, 2, 3, 1)), COLOUR)],
)
def test_layouts(tmp_path: Path, images: np.ndarray, planes: np.ndarray, suffix: str) -> None:
    path = tmp_path / f"mine{suffix}"
    content: dict[str, Any] = {"images": images, "labels": LABELS}
    np.savez(path, **content) if suffix == ".npz" else save_file(content, path)
    found = arrays.load(str(path), "test")
    assert np.array_equal(found.images, planes) and found.images.flags.c_contiguous and found.images.flags.writeable
    assert found.labels.dtype == np.int64 and found.labels.tolist() == LABELS.tolist()
    description = found.description
    assert description["title"] == path.name and description["classes"] == 3 and description["epsilon"] is None
    assert description["official"] is False and description["files"][0]["matches"] is None


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_become_float32(tmp_path: Path, dtype: type) -> None:
    images: np.ndarray = RNG.random((3, 1, 6, 5)).astype(dtype)
    found = arrays.load(npz(tmp_path / "a.npz", x=images, y=np.array([0, 1, 0], np.uint8)), "test")
    assert found.images.dtype == np.float32 and np.array_equal(found.images, images.astype(np.float32))


@pytest.mark.parametrize(("x", "y"), [("x_{}", "y_{}"), ("{}_images", "{}_labels"), ("images_{}", "labels_{}")])
def test_keys_of_a_split(tmp_path: Path, x: str, y: str) -> None:
    content = {
        x.format("train"): GRAY,
        y.format("train"): LABELS,
        x.format("test"): GRAY[:2],
        y.format("test"): LABELS[:2],
    }
    path = npz(tmp_path / "a.npz", **content)
    assert arrays.load(path, "train").description["n"] == 4
    assert arrays.load(path, "test").description["n"] == 2


def test_a_folder_names_the_split(tmp_path: Path) -> None:
    npz(tmp_path / "train.npz", images=GRAY, labels=LABELS, classes=np.array(10))
    save_file({"x": GRAY[:1], "y": LABELS[:1]}, tmp_path / "test.safetensors")
    assert arrays.load(str(tmp_path), "train").description["classes"] == 10
    assert arrays.load(str(tmp_path), "test").description["n"] == 1


def test_plain_keys_of_a_single_file_are_never_training_data(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", images=GRAY, labels=LABELS)
    with pytest.raises(
        ServiceError, match=r"`x_train` and `y_train` or .* for the split train, got `images`, `labels`$"
    ):
        arrays.load(path, "train")


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"images": GRAY.astype(np.int32)}, r"`images` in .* to be uint8, or floats in \[0, 1\], got int32"),
    ({"images": GRAY.astype(np.float32)}, r"to be in \[0, 1\], got values from \d+ to 25\d"),
    ({"images": np.full((4, 2, 2), -0.1)}, r"to be in \[0, 1\], got values from -0.1 to -0.1"),
    ({"images": np.full((4, 2, 2), np.nan)}, r"to be in \[0, 1\], got values from nan to nan"),
    ({"images": GRAY[:0]}, r"to hold images, got the empty shape \[0, 6, 5\]"),
    ({"images": GRAY[0]}, r"with 1 to 4 channels, got \[6, 5\]"),
    ({"images": np.zeros((4, 7, 8, 9), np.uint8)}, r"with 1 to 4 channels, got \[4, 7, 8, 9\]"),
    ({"images": np.zeros((4, 3, 8, 3), np.uint8)}, r"one axis of 1 to 4 channels, got \[4, 3, 8, 3\], which has two"),
    ({"labels": LABELS.astype(np.float32)}, r"`labels` in .* integers of shape \[n\], got float32 of shape \[4\]"),
    ({"labels": np.eye(4, dtype=np.int64)}, r"integers of shape \[n\], got int64 of shape \[4, 4\]"),
    ({"labels": LABELS[:3]}, r"one label for each of 4 images, got 3 labels"),
    ({"labels": np.array([0, 1, -1, 0])}, r"labels from 0 to 1, got -1 at index 2"),
    ({"labels": np.array([0, 1, 2**64 - 1, 0], np.uint64)}, r"labels from 0 to 1, got -1 at index 2"),
    ({"labels": np.array([0, 1, 2**40, 0])}, r"from 1 to 1048576 classes, got 1099511627777"),
    ({"classes": np.array(2)}, r"labels from 0 to 1, got 2 at index 1"),
    ({"classes": np.array([2, 3])}, r"`classes` in .* to be one integer, got int64 \[2\]"),
    (
        {"x": GRAY, "y": LABELS},
        r"`images` and `labels` or `x` and `y` for the split test, got `images`, `labels`, `x`, `y`",
    ),
]


@pytest.mark.parametrize(("change", "message"), REFUSALS)
def test_refuses(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = npz(tmp_path / "a.npz", **{"images": GRAY, "labels": LABELS, **change})
    with pytest.raises(ServiceError, match=message) as raised:
        arrays.load(path, "test")
    assert str(raised.value).startswith("Expected ") and path in str(raised.value)


def test_refuses_paths(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"")
    (tmp_path / "b.npz").write_bytes(b"text")
    (tmp_path / "c.safetensors").write_bytes(b"text")
    for root, message in [
        (None, r"^Expected `root` to be the absolute path of a .npz or .safetensors file, got `None`$"),
        ("a.npz", r"the absolute path .*, got `a.npz`$"),
        (str(tmp_path / "a.pt"), r"to be a .npz or .safetensors file or a folder with such, got neither$"),
        (str(tmp_path / "none.npz"), r"^Expected the file `.*none.npz`, got no such file$"),
        (str(tmp_path), r"to hold `test.npz` or `test.safetensors`, got neither$"),
        (str(tmp_path / "b.npz"), r"to be an intact .npz file, got: "),
        (str(tmp_path / "c.safetensors"), r"to be an intact .safetensors file, got: "),
    ]:
        with pytest.raises(ServiceError, match=message):
            arrays.load(root, "test")


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    objects = np.array([pickle, None, 1, 2], object)[2:]
    path = npz(tmp_path / "a.npz", images=objects, labels=LABELS)
    with pytest.raises(ServiceError, match=r"Object arrays cannot be loaded when allow_pickle=False"):
        arrays.load(path, "test")
