"""MNIST and Fashion-MNIST from IDX files, plain and gzip, in every usual folder, and every refusal."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from feynkac_worker.data import _idx, dataset, fashion_mnist, mnist
from feynkac_worker.errors import ServiceError

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
LABELS = np.array([3, 0, 9, 9, 1], np.uint8)


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write(folder: Path, images: bytes = idx(IMAGES), labels: bytes = idx(LABELS), zipped: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in (("t10k-images-idx3-ubyte", images), ("t10k-labels-idx1-ubyte", labels)):
        (folder / f"{name}{'.gz' if zipped else ''}").write_bytes(gzip.compress(data) if zipped else data)
    return folder


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_loads_plain_and_gzip(tmp_path: Path, name: str, zipped: bool) -> None:
    images, labels, description = dataset(name).load(str(write(tmp_path, zipped=zipped)), "test")
    assert images.dtype == np.uint8 and np.array_equal(images, IMAGES[:, None])
    assert labels.dtype == np.int64 and labels.tolist() == LABELS.tolist()
    assert description["checksum"] == hashlib.sha256(IMAGES.tobytes() + LABELS.astype("<i8").tobytes()).hexdigest()
    assert description["shape"] == [1, 28, 28] and description["n"] == 5 and description["classes"] == 10
    assert description["epsilon"] == {"mnist": 0.3, "fashion_mnist": 0.1}[name]
    suffix = ".gz" if zipped else ""
    first = description["files"][0]
    assert first["file"] == f"t10k-images-idx3-ubyte{suffix}"
    assert first["actual"] == f"md5:{hashlib.md5(idx(IMAGES)).hexdigest()}"
    assert first["expected"] == f"md5:{dataset(name).OFFICIAL['t10k-images-idx3-ubyte']}"


def test_other_content_is_reported_not_refused(tmp_path: Path) -> None:
    description = mnist.load(str(write(tmp_path)), "test").description
    assert description["official"] is False
    assert [file["matches"] for file in description["files"]] == [False, False]
    assert description["title"] == "MNIST (not the official files)"


def test_official_content_counts_however_it_was_packed(tmp_path: Path) -> None:
    official = {
        "t10k-images-idx3-ubyte": hashlib.md5(idx(IMAGES)).hexdigest(),
        "t10k-labels-idx1-ubyte": hashlib.md5(idx(LABELS)).hexdigest(),
    }
    found = _idx.load(mnist.SOURCE, [write(tmp_path, zipped=True)], "test", official).description
    assert found["official"] is True and found["title"] == "MNIST"


@pytest.mark.parametrize(("module", "inside"), [(mnist, "MNIST/raw"), (fashion_mnist, "FashionMNIST/raw")])
def test_finds_the_usual_subfolder(tmp_path: Path, module: object, inside: str) -> None:
    write(tmp_path / inside)
    assert module.load(str(tmp_path), "test").description["n"] == 5  # type: ignore[attr-defined]


def test_fashion_mnist_without_root_reads_debians_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion_mnist, "DEBIAN", write(tmp_path, zipped=True))
    assert fashion_mnist.load(None, "test").description["n"] == 5
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "none")
    with pytest.raises(ServiceError, match=r"got none, and Debian's package `dataset-fashion-mnist` is not installed"):
        fashion_mnist.load(None, "test")


CUT = idx(IMAGES)[:-1]
REFUSALS = [
    ({"images": b""}, r"t10k-images-idx3-ubyte` to begin with the IDX magic 0x00000803 .*, got an empty file"),
    ({"images": idx(LABELS)}, r"IDX magic 0x00000803 \(uint8, 3 dimensions\), got 0x00000801"),
    ({"labels": idx(IMAGES)}, r"t10k-labels-idx1-ubyte` to begin with the IDX magic 0x00000801 .*, got 0x00000803"),
    ({"images": idx(IMAGES)[:9]}, r"to have an IDX header of 16 bytes, got 9 bytes"),
    ({"images": CUT}, r"to hold 5 x 28 x 28 bytes after its header, got 3919"),
    ({"images": idx(IMAGES) + b"\0"}, r"to hold 5 x 28 x 28 bytes after its header, got 3921"),
    ({"labels": idx(LABELS[:4])}, r"one label for each of 5 images, got 4 labels"),
    ({"labels": idx(np.array([0, 1, 10, 2, 3], np.uint8))}, r"labels from 0 to 9, got 10 at index 2"),
    ({"images": idx(IMAGES[:0]), "labels": idx(LABELS[:0])}, r"to hold at least one image, got none"),
]


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(("change", "message"), REFUSALS)
def test_refuses(tmp_path: Path, change: dict[str, bytes], message: str, zipped: bool) -> None:
    root = str(write(tmp_path, zipped=zipped, **change))
    with pytest.raises(ServiceError, match=r"^Expected ") as raised:
        mnist.load(root, "test")
    with pytest.raises(ServiceError, match=message.replace("ubyte`", "ubyte(.gz)?`")):
        raise raised.value


def test_refuses_damaged_gzip_and_absent_files(tmp_path: Path) -> None:
    write(tmp_path, zipped=True)
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ServiceError, match=r"t10k-images-idx3-ubyte.gz` to be an intact gzip file, got: "):
        mnist.load(str(tmp_path), "test")
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(ServiceError, match=r"the file `.*t10k-labels-idx1-ubyte` or its .gz, got no such file"):
        mnist.load(str(tmp_path), "test")
    with pytest.raises(ServiceError, match=r"the file `.*train-images-idx3-ubyte` or its .gz, got no such file"):
        mnist.load(str(tmp_path), "train")


def test_refuses_roots_and_splits(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for root, message in [
        (None, r"^Expected `root` \(--data-root on the command line\) to be the folder that holds MNIST, got none$"),
        ("mnist", r"^Expected `root` to be an absolute path, got `mnist`$"),
        (str(tmp_path / "file"), r"got `.*file` \(a file\)$"),
        (str(tmp_path / "none"), r"got `.*none` \(no such folder\)$"),
    ]:
        with pytest.raises(ServiceError, match=message):
            mnist.load(root, "test")
    with pytest.raises(ServiceError, match=r"^Expected `split` to be one of train, test, got `val`$"):
        mnist.load(str(tmp_path), "val")
