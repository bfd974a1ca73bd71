"""data.list and data.load: the wire form, float32 images on the device, and bad parameters."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from feynkac_worker import data
from feynkac_worker.data.services import list_datasets, load_dataset, to_device
from feynkac_worker.errors import ServiceError
from feynkac_worker.services import SERVICES

CONTEXT: Any = SimpleNamespace(device=torch.device("cpu"))
NAMES = ["arrays", "cifar10", "cifar100", "fashion_mnist", "fashion_mnist_subset", "image_folder", "mnist", "svhn"]


def test_the_files_are_the_registry() -> None:
    assert data.names() == NAMES
    value, outputs = list_datasets(CONTEXT, {}, [])
    assert [entry["name"] for entry in value] == NAMES and outputs == []
    assert value[1] == {"name": "cifar10", "title": "CIFAR-10", "splits": ["train", "test"]}
    assert SERVICES["data.list"] is list_datasets and SERVICES["data.load"] is load_dataset


@pytest.mark.parametrize("name", NAMES)
def test_every_data_set_keeps_the_contract(name: str) -> None:
    module = data.dataset(name)
    assert isinstance(module.TITLE, str) and module.SPLITS == ("train", "test") and callable(module.load)
    assert module.EPSILON is None or 0 < module.EPSILON < 1


def test_load_puts_float_images_in_the_unit_interval_on_the_device() -> None:
    description, (images, labels) = load_dataset(CONTEXT, {"name": "fashion_mnist_subset", "split": "test"}, [])
    assert images.dtype == torch.float32 and tuple(images.shape) == (1000, 1, 28, 28) and images.is_contiguous()
    assert labels.dtype == torch.int64 and tuple(labels.shape) == (1000,)
    host = data.dataset("fashion_mnist_subset").load(None, "test")
    assert np.array_equal(images.numpy(), host.images.astype(np.float32) / np.float32(255))
    assert json.loads(json.dumps(description)) == description == host.description


def test_floats_pass_unchanged(tmp_path: Path) -> None:
    images = np.random.default_rng(5).random((2, 3, 4, 5), np.float32)
    np.savez(tmp_path / "test.npz", x=images, y=np.array([0, 1]))
    _, (found, _) = load_dataset(CONTEXT, {"name": "arrays", "root": str(tmp_path), "split": "test"}, [])
    assert np.array_equal(found.numpy(), images)


def test_bytes_are_divided_exactly() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    assert to_device(every, CONTEXT.device).flatten().tolist() == [
        float(np.float32(i) / np.float32(255)) for i in range(256)
    ]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"split": "test"}, r"^Expected `name` to be one of arrays, cifar10, .*, got `None` \(NoneType\)$"),
        ({"name": "imagenet", "split": "test"}, r"^Expected `name` to be one of arrays, cifar10, .*, got `imagenet`$"),
        ({"name": "services", "split": "test"}, r"got `services`$"),
        ({"name": "_idx", "split": "test"}, r"got `_idx`$"),
        ({"name": "mnist"}, r"^Expected `split` to be a string, got `None` \(NoneType\)$"),
        ({"name": "mnist", "split": "test", "root": 3}, r"^Expected `root` to be a path or null, got `3` \(int\)$"),
        ({"name": "mnist", "split": "test", "root": "/a\0b"}, r"^Expected `root` to be a path or null, got "),
    ],
)
def test_refuses(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ServiceError, match=message):
        load_dataset(CONTEXT, params, [])
