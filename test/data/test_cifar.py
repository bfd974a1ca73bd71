"""CIFAR-10 and CIFAR-100 in both layouts, written byte for byte as the authors' files are, and every refusal."""

from __future__ import annotations

import hashlib
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feynkac_worker.data import _cifar, _pickles, cifar10, cifar100
from feynkac_worker.errors import ServiceError

RNG = np.random.default_rng(1)


def batch(n: int, classes: int = 10) -> tuple[np.ndarray, list[int]]:
    return RNG.integers(0, 256, (n, 3072), np.uint8), RNG.integers(0, classes, n).tolist()


def python2(entries: dict[bytes, Any]) -> bytes:
    """The pickle that Python 2 writes at protocol 2: byte strings, numpy.core names, every value in the memo."""
    out, memo = [b"\x80\x02}"], -1

    def put() -> bytes:
        nonlocal memo
        memo += 1
        return b"q" + bytes([memo]) if memo < 256 else b"r" + struct.pack("<I", memo)

    def text(value: bytes) -> bytes:
        short = len(value) < 256
        return (b"U" + bytes([len(value)]) if short else b"T" + struct.pack("<i", len(value))) + value + put()

    def integer(value: int) -> bytes:
        return b"K" + bytes([value]) if value < 256 else b"M" + struct.pack("<H", value)

    out.append(put() + b"(")
    for key, value in entries.items():
        out.append(text(key))
        if isinstance(value, np.ndarray):
            shape = b"".join(integer(size) for size in value.shape)
            out += [b"cnumpy.core.multiarray\n_reconstruct\n", put(), b"cnumpy\nndarray\n", put(), b"K\0\x85", put()]
            out += [
                text(b"b"),
                b"\x87",
                put(),
                b"R",
                put(),
                b"(K\x01",
                shape,
                b"\x86",
                put(),
                b"cnumpy\ndtype\n",
                put(),
            ]
            out += [text(b"u1"), b"K\0K\x01\x87", put(), b"R", put(), b"(K\x03", text(b"|"), b"NNNJ", b"\xff" * 4]
            out += [b"J", b"\xff" * 4, b"K\0t", put(), b"b\x89", text(value.tobytes()), b"t", put(), b"b"]
        elif isinstance(value, list):
            items = b"".join(text(item) if isinstance(item, bytes) else integer(item) for item in value)
            out.append(b"]" + put() + b"(" + items + b"e")
        else:
            out.append(text(value))
    return b"".join(out) + b"u."


def entries(images: np.ndarray, labels: list[int], key: bytes = b"labels") -> dict[bytes, Any]:
    names = [b"picture_%d.png" % i for i in range(len(images))]
    found: dict[bytes, Any] = {b"batch_label": b"a batch", key: labels, b"data": images, b"filenames": names}
    return {**found, b"coarse_labels": [0] * len(images)} if key == b"fine_labels" else found


def binary(images: np.ndarray, labels: list[int], coarse: bool = False) -> bytes:
    prefix = [b"\x07"] if coarse else [b""]
    return b"".join(prefix[0] + bytes([label]) + image.tobytes() for image, label in zip(images, labels, strict=True))


def test_our_writer_is_readable_by_pickle() -> None:
    images, labels = batch(300)
    found = pickle.loads(python2(entries(images, labels)), encoding="bytes")
    assert np.array_equal(found[b"data"], images) and found[b"labels"] == labels


def write_train(folder: Path, layout: str) -> tuple[np.ndarray, list[int]]:
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = batch(15)
    for k in range(5):
        part = images[3 * k : 3 * k + 3], labels[3 * k : 3 * k + 3]
        name = f"data_batch_{k + 1}" + (".bin" if layout == "bin" else "")
        (folder / name).write_bytes(binary(*part) if layout == "bin" else python2(entries(*part)))
    return images, labels


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("layout", ["py", "bin"])
def test_cifar10_joins_the_five_batches(tmp_path: Path, layout: str, inside: bool) -> None:
    images, labels = write_train(tmp_path / f"cifar-10-batches-{layout}" if inside else tmp_path, layout)
    found = cifar10.load(str(tmp_path), "train")
    assert np.array_equal(found.images, images.reshape(-1, 3, 32, 32)) and found.images.flags.writeable
    assert found.labels.tolist() == labels
    assert found.description["epsilon"] == 0.031 and found.description["shape"] == [3, 32, 32]
    digest = hashlib.sha256(images.tobytes() + np.array(labels, "<i8").tobytes())
    assert found.description["checksum"] == digest.hexdigest()
    assert found.description["official"] is False
    assert found.description["title"] == "CIFAR-10 (not the official files)"
    assert len(found.description["files"]) == 5


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_reads_batches_written_by_python_3(tmp_path: Path, protocol: int) -> None:
    images, labels = batch(4)
    (tmp_path / "test_batch").write_bytes(pickle.dumps(entries(images, labels), protocol))
    found = cifar10.load(str(tmp_path), "test")
    assert np.array_equal(found.images.reshape(4, -1), images) and found.labels.tolist() == labels


@pytest.mark.parametrize("layout", ["py", "bin"])
def test_cifar100_takes_the_fine_labels(tmp_path: Path, layout: str) -> None:
    images, labels = batch(6, 100)
    labels[0] = 99
    if layout == "py":
        (tmp_path / "test").write_bytes(python2(entries(images, labels, b"fine_labels")))
    else:
        (tmp_path / "test.bin").write_bytes(binary(images, labels, coarse=True))
    found = cifar100.load(str(tmp_path), "test")
    assert np.array_equal(found.images.reshape(6, -1), images) and found.labels.tolist() == labels
    assert found.description["classes"] == 100 and found.description["official"] is False
    expected = {"py": (False, "CIFAR-100 (not the official files)"), "bin": (None, "CIFAR-100 (files not verified)")}
    assert (found.description["files"][0]["matches"], found.description["title"]) == expected[layout]


def test_official_and_known_copies_are_recognised(tmp_path: Path) -> None:
    data = binary(*batch(2))
    (tmp_path / "test_batch.bin").write_bytes(data)
    md5 = hashlib.md5(data).hexdigest()
    layout = _cifar.Layout("bin", {"test": {"test_batch.bin": md5}}, label_bytes=1)
    found = _cifar.load(_cifar.Cifar(cifar10.SOURCE, b"labels", (layout,)), str(tmp_path), "test").description
    assert found["official"] is True and found["title"] == "CIFAR-10"
    copy = _cifar.Cifar(cifar10.SOURCE, b"labels", (cifar10.BINARY,), {f"md5:{md5}": "a copy"})
    found = _cifar.load(copy, str(tmp_path), "test").description
    assert found["official"] is False and found["title"] == "CIFAR-10 (a copy)"


def cases() -> list[tuple[str, bytes, str]]:
    images, labels = batch(3)
    good = entries(images, labels)
    return [
        ("test_batch.bin", binary(images, labels)[:-1], r"multiple of 3073 bytes long, got 9218 bytes"),
        ("test_batch.bin", binary(images, [1, 10, 2]), r"labels from 0 to 9, got 10 at index 1"),
        ("test_batch.bin", b"", r"at least one image, got none"),
        ("test_batch", b"", r"a pickled dict of uint8 arrays, lists and strings, got "),
        ("test_batch", python2(good)[:-500], r"a pickled dict of uint8 arrays, lists and strings, got "),
        ("test_batch", pickle.dumps([1], 2), r"got a list at the top"),
        ("test_batch", python2({**good, b"labels": labels[:2]}), r"one label for each of 3 images, got 2 labels"),
        ("test_batch", python2({**good, b"labels": [1, 2, 11]}), r"labels from 0 to 9, got 11 at index 2"),
        ("test_batch", python2({**good, b"labels": b"123"}), r"`labels` in .* a list of integers, got a bytes"),
        ("test_batch", pickle.dumps({"data": images, "labels": [1.0] * 3}, 2), r"the opcode BINFLOAT at byte \d+"),
        ("test_batch", python2({b"labels": labels}), r"`data` in .* to be uint8 \[n, 3072\], got none"),
        ("test_batch", python2({**good, b"data": images[:, :9]}), r"got an array of shape \[3, 9\]"),
        ("test_batch", python2({b"data": images}), r"`labels` in .* a list of integers, got none"),
        ("test_batch", pickle.dumps({"data": images.astype(np.int32)}, 2), r"an array that is not row-major uint8"),
        ("test_batch", pickle.dumps({"data": np.asfortranarray(images)}, 2), r"an array that is not row-major uint8"),
    ]


@pytest.mark.parametrize(("name", "data", "message"), cases())
def test_refuses(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ServiceError, match=message) as raised:
        cifar10.load(str(tmp_path), "test")
    assert str(raised.value).startswith("Expected ") and str(tmp_path / name) in str(raised.value)


def test_refuses_absent_files(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"to hold `data_batch_1` or `data_batch_1.bin` of CIFAR-10, got neither"):
        cifar10.load(str(tmp_path), "train")
    write_train(tmp_path, "bin")
    (tmp_path / "data_batch_4.bin").unlink()
    with pytest.raises(ServiceError, match=r"^Expected the file `.*data_batch_4.bin`, got no such file$"):
        cifar10.load(str(tmp_path), "train")
    with pytest.raises(
        ServiceError,
        match=r"^Expected `root` \(--data-root on the command line\) to be the folder that holds CIFAR-10, got none$",
    ):
        cifar10.load(None, "train")


class Evil:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (f"open({str(self.target)!r}, 'w').close()",)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_malicious_batch_is_not_executed(tmp_path: Path, protocol: int) -> None:
    images, labels = batch(2)
    data = pickle.dumps({"data": images, "labels": labels, "more": Evil(tmp_path / "executed")}, protocol)
    (tmp_path / "test_batch").write_bytes(data)
    with pytest.raises(ServiceError, match=r"a reference to `.*\.exec`" if protocol else r"the opcode "):
        cifar10.load(str(tmp_path), "test")
    assert not (tmp_path / "executed").exists()
    pickle.loads(data)  # the attack itself works
    assert (tmp_path / "executed").exists()


def test_a_batch_cannot_change_the_readers_names() -> None:
    change = b"\x80\x02cnumpy\ndtype\nN}U\x05_callK\x01s\x86b."
    with pytest.raises(ServiceError, match=r"got a change of a named object"):
        _pickles.read("file", change)
    images, labels = batch(2)
    assert np.array_equal(_pickles.read("file", python2(entries(images, labels)))[b"data"], images)


def test_a_batch_cannot_make_the_memo_fill_the_memory() -> None:
    with pytest.raises(ServiceError, match=r"got the memo index 4294967295 at byte 3"):
        _pickles.read("file", b"\x80\x02}r\xff\xff\xff\xff.")
