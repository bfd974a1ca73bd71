"""The embedded subset: counts, balance, checksums, and that its script makes the same bytes again."""

from __future__ import annotations

import gzip
import importlib.util
import shutil
import struct
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from feynkac_worker.data import fashion_mnist_subset as subset
from feynkac_worker.errors import ServiceError

DATA = Path(__file__).parents[2] / "data"
# SHA-256 over images and labels: the identity of the set in records.
CHECKSUMS = {
    "train": "44d535514eabb30f8941b165646c8b1b52eae26266dc7693b1547340008ed396",
    "test": "7be2985bc538ab71e24877d82d54196cdd30d9e6c02e05e7a423bcf5fb4a3792",
}


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_subset", DATA / "make_fashion_mnist_subset.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("split", "each"), [("train", 600), ("test", 100)])
def test_counts_balance_and_checksum(split: str, each: int) -> None:
    images, labels, description = subset.load(None, split)
    assert images.shape == (10 * each, 1, 28, 28) and images.dtype == np.uint8 and images.max() == 255
    assert np.bincount(labels).tolist() == [each] * 10
    assert description["checksum"] == CHECKSUMS[split] and description["official"] is True
    assert all(file["matches"] for file in description["files"]) and description["licence"] == "MIT"
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)


def test_is_small() -> None:
    assert sum(path.stat().st_size for path in subset.FOLDER.iterdir()) < 3_500_000


def test_no_test_image_is_a_training_image() -> None:
    train, test = ({image.tobytes() for image in subset.load(None, split).images} for split in ("train", "test"))
    assert not train & test


@pytest.mark.parametrize("name", ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"])
def test_refuses_damaged_files(tmp_path: Path, name: str) -> None:
    shutil.copytree(subset.FOLDER, tmp_path, dirs_exist_ok=True)
    data = bytearray((tmp_path / name).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / name).write_bytes(data)
    with pytest.raises(
        ServiceError, match=rf"^Expected the embedded `.*{name}` to have SHA-256 \w{{64}}, got \w{{64}}$"
    ):
        subset.read(tmp_path, "test")
    (tmp_path / name).unlink()
    with pytest.raises(ServiceError, match=rf"^Expected the embedded file `.*{name}`, got no such file$"):
        subset.read(tmp_path, "test")
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(ServiceError, match=r"manifest.json` to be a JSON object with `sha256`, got other text$"):
        subset.read(tmp_path, "test")


def test_refuses_a_root_and_other_splits() -> None:
    with pytest.raises(ServiceError, match=r"^Expected `root` to be absent for the embedded .*, got `/tmp`$"):
        subset.load("/tmp", "test")
    with pytest.raises(ServiceError, match=r"^Expected `split` to be one of train, test, got `all`$"):
        subset.load(None, "all")


def write_source(folder: Path, each: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    labels = rng.permutation(np.repeat(np.arange(10, dtype=np.uint8), each))
    images = rng.integers(0, 256, (len(labels), 28, 28), np.uint8)
    folder.mkdir()
    for split in ("train", "t10k"):
        header = struct.pack(">4I", 0x803, len(labels), 28, 28), struct.pack(">2I", 0x801, len(labels))
        (folder / f"{split}-images-idx3-ubyte.gz").write_bytes(gzip.compress(header[0] + images.tobytes()))
        (folder / f"{split}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(header[1] + labels.tobytes()))
    return images, labels


def test_the_script_makes_the_same_bytes_and_keeps_pairs(tmp_path: Path) -> None:
    images, labels = write_source(tmp_path / "source", 7)
    make = script().make
    for name in ("a", "b"):
        make(tmp_path / "source", tmp_path / name, {"train": 4, "t10k": 2})
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(files) == 5
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)
    found = subset.read(tmp_path / "a", "train")
    assert np.bincount(found.labels).tolist() == [4] * 10
    known = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    assert [known[image.tobytes()] for image in found.images] == found.labels.tolist()


def test_the_choice_is_fixed() -> None:
    labels = bytes(i % 10 for i in range(200))
    chosen = script().chosen
    assert chosen(labels, "train", 1) == [10, 65, 68, 69, 72, 136, 141, 173, 177, 184]
    assert chosen(labels, "train", 1, seed=1) != chosen(labels, "train", 1)


def test_the_script_refuses_other_sources_and_small_classes(tmp_path: Path) -> None:
    write_source(tmp_path / "source", 2)
    with pytest.raises(SystemExit, match=r"^Expected the content of train-images-idx3-ubyte.gz to have MD5 f4a8712d"):
        script().make(tmp_path / "source", tmp_path / "a", {"train": 1, "t10k": 1}, script().OFFICIAL)
    with pytest.raises(SystemExit, match=r"^Expected at least 3 images of class 0 in train, got 2$"):
        script().make(tmp_path / "source", tmp_path / "a", {"train": 3, "t10k": 1})
