"""A damaged data set or checkpoint loads as something well formed, or is refused with one ServiceError."""

from __future__ import annotations

import gzip
import io
import pickle
import random
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from mat_files import svhn as svhn_file
from mutate import damaged
from PIL import Image
from safetensors.numpy import save

from feynkac_worker.checkpoints.read import read_checkpoint
from feynkac_worker.data import arrays, cifar10, cifar100, image_folder, mnist, svhn
from feynkac_worker.data._dataset import Loaded
from feynkac_worker.errors import ServiceError

IMAGES = np.random.default_rng(4).integers(0, 256, (3, 3072), np.uint8)
GRAY = IMAGES[:, :64].reshape(3, 8, 8).copy()
LABELS = [1, 0, 9]
IDX = struct.pack(">4I", 0x803, 3, 8, 8) + GRAY.tobytes()


def picture(kind: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(IMAGES[0].reshape(32, 32, 3)).save(out, kind)
    return out.getvalue()


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
    "svhn": ("test_32x32.mat", svhn_file(IMAGES.reshape(3, 3, 32, 32), np.array([1, 10, 9], np.uint8)), svhn.load),
    "png folder": ("test/ape/1.png", picture("png"), image_folder.load),
    "jpeg folder": ("test/ape/1.jpg", picture("jpeg"), image_folder.load),
    "npz": ("test.npz", npz(), arrays.load),
    "safetensors": ("test.safetensors", save({"images": GRAY, "labels": np.array(LABELS)}), arrays.load),
}
IDX_LABELS = struct.pack(">2I", 0x801, 3) + bytes(LABELS)


def check_data(kind: str, folder: Path, data: bytes) -> bool:
    """Whether the file was refused. Raises AssertionError when what loads is not well formed."""
    name, _, load = FORMATS[kind]
    if kind == "idx":
        (folder / "t10k-labels-idx1-ubyte").write_bytes(IDX_LABELS)
    elif kind == "idx gzip":
        (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(IDX_LABELS))
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    try:
        found = load(str(folder), "test")
    except ServiceError as error:
        assert_sentence(error)
        return True
    n = found.description["n"]
    assert found.images.shape == (n, *found.description["shape"]) and found.labels.shape == (n,) and n > 0
    assert found.labels.min() >= 0 and found.labels.max() < found.description["classes"]
    return False


def checkpoint(kind: str) -> bytes:
    """A small checkpoint of each container."""
    generator = torch.Generator().manual_seed(1)
    state = {f"layer{i}.weight": torch.randn(4, 3, generator=generator) for i in range(3)}
    state["count"] = torch.tensor(7)
    if kind == "safetensors":
        return safetensors.torch.save(state)
    out = io.BytesIO()
    torch.save({"net": state, "acc": 0.5, "epoch": 3}, out, _use_new_zipfile_serialization=kind == "pt")
    return out.getvalue()


CHECKPOINTS = ["pt", "pt legacy", "safetensors"]


def check_checkpoint(kind: str, folder: Path, data: bytes) -> bool:
    """Whether the file was refused."""
    path = folder / ("a.safetensors" if kind == "safetensors" else "a.pt")
    path.write_bytes(data)
    try:
        found = read_checkpoint(str(path))
    except ServiceError as error:
        assert_sentence(error)
        return True
    assert all(type(key) is str and isinstance(value, torch.Tensor) for key, value in found.state.items())
    return False


def assert_sentence(error: ServiceError) -> None:
    assert str(error).startswith("Expected ") and "\n" not in str(error), str(error)


KINDS: dict[str, tuple[bytes, Callable[[Path, bytes], bool]]] = {
    **{
        f"data {kind}": (data, lambda folder, changed, kind=kind: check_data(kind, folder, changed))
        for kind, (_, data, _) in FORMATS.items()
    },
    **{
        f"checkpoint {kind}": (
            checkpoint(kind),
            lambda folder, changed, kind=kind: check_checkpoint(kind, folder, changed),
        )
        for kind in CHECKPOINTS
    },
}


def fuzz(kind: str, folder: Path, rng: random.Random, inputs: int) -> int:
    """How many of the inputs were refused."""
    whole, check = KINDS[kind]
    assert not check(folder, whole)
    return sum(check(folder, damaged(whole, rng)) for _ in range(inputs))
