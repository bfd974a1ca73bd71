"""Damaged files of every format: a valid load or one ServiceError, nothing else."""

from __future__ import annotations

import gzip
import io
import pickle
import random
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from feynkac_worker.data import arrays, cifar10, cifar100, mnist
from feynkac_worker.data._dataset import Loaded
from feynkac_worker.errors import ServiceError

IMAGES = np.random.default_rng(4).integers(0, 256, (3, 3072), np.uint8)
GRAY = IMAGES[:, :64].reshape(3, 8, 8).copy()
LABELS = [1, 0, 9]
IDX = struct.pack(">4I", 0x803, 3, 8, 8) + GRAY.tobytes()


def npz() -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, images=GRAY, labels=np.array(LABELS))
    return out.getvalue()


FORMATS: dict[str, tuple[str, bytes, Callable[[str, str], Loaded]]] = {
    "idx": ("t10k-images-idx3-ubyte", IDX, mnist.load),
    "idx gzip": ("t10k-images-idx3-ubyte.gz", gzip.compress(IDX), mnist.load),
    "cifar10 python": ("test_batch", pickle.dumps({b"data": IMAGES, b"labels": LABELS}, 2), cifar10.load),
    "cifar10 python 3": ("test_batch", pickle.dumps({"data": IMAGES, "labels": LABELS}, 4), cifar10.load),
    "cifar100 python": ("test", pickle.dumps({b"data": IMAGES, b"fine_labels": LABELS}, 2), cifar100.load),
    "cifar10 binary": ("test_batch.bin", b"\x03" + IMAGES[0].tobytes(), cifar10.load),
    "cifar100 binary": ("test.bin", b"\x01\x63" + IMAGES[0].tobytes(), cifar100.load),
    "npz": ("test.npz", npz(), arrays.load),
    "safetensors": ("test.safetensors", save({"images": GRAY, "labels": np.array(LABELS)}), arrays.load),
}


def damaged(data: bytes, rng: random.Random) -> bytes:
    kind = rng.randrange(4)
    if kind == 0:
        return data[: rng.randrange(len(data))]
    at = rng.randrange(min(len(data), 200)) if kind == 1 else rng.randrange(len(data))
    if kind == 3:
        return data[:at] + rng.randbytes(rng.randrange(1, 9)) + data[at:]
    changed = bytearray(data)
    changed[at] = rng.randrange(256)
    return bytes(changed)


@pytest.mark.parametrize("kind", FORMATS)
def test_damage_is_refused_or_loads(tmp_path: Path, kind: str) -> None:
    name, data, load = FORMATS[kind]
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, 3) + bytes(LABELS))
    if name.endswith("ubyte.gz"):
        (tmp_path / "t10k-labels-idx1-ubyte").rename(tmp_path / "t10k-labels-idx1-ubyte.gz")
        (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(
            gzip.compress(struct.pack(">2I", 0x801, 3) + bytes(LABELS))
        )
    (tmp_path / name).write_bytes(data)
    assert load(str(tmp_path), "test").description["n"] > 0
    rng, refused = random.Random(kind), 0
    for _ in range(300):
        (tmp_path / name).write_bytes(damaged(data, rng))
        try:
            found = load(str(tmp_path), "test")
        except ServiceError as error:
            assert str(error).startswith("Expected ")
            refused += 1
        else:
            n = found.description["n"]
            assert found.images.shape == (n, *found.description["shape"]) and found.labels.shape == (n,) and n > 0
            assert found.labels.min() >= 0 and found.labels.max() < found.description["classes"]
    assert refused > 0
