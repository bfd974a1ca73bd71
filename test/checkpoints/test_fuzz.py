"""Changed files of every torch layout: a checkpoint, or a refusal in one sentence; never another error.

The number of changes per layout is FUZZ_CHECKPOINTS (300); raise it for a long run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from published_files import Python2, published
from torch import nn

from feynkac_worker.errors import ServiceError

CHANGES = int(os.environ.get("FUZZ_CHECKPOINTS", "300"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
LAYOUTS = ("zip", "older", "python2", "state_dict zip", "state_dict older")


def original(layout: str, folder: Path) -> bytes:
    with published("resnet_cifar", folder) as code:
        network: nn.Module = code.Ensemble_PreAct_ResNet_Cifar(1, 1, 0.1, width=1)
        kernels = [parameter.detach() for name, parameter in network.named_parameters() if "conv" in name]
        net = network.state_dict() if "state_dict" in layout else network
        content = {"net": net, "acc": 47.5, "epoch": 7, "G_kernels": kernels}
        if layout == "python2":
            return Python2().file(content)
        path = folder / "original.t7"
        torch.save(content, path, _use_new_zipfile_serialization=layout.endswith("zip"))
        return path.read_bytes()


def changed(data: bytes, random: np.random.Generator) -> bytes:
    """One to four changes: bits, bytes, pieces removed, doubled, or moved; mostly where the pickle is."""
    result = bytearray(data)
    for _ in range(random.integers(1, 5)):
        end = len(result) if random.random() < 0.3 else max(1, int(len(result) * 0.6))
        at, length = int(random.integers(end)), int(random.integers(1, 24))
        piece = bytes(result[at : at + length])
        match int(random.integers(6)):
            case 0:
                result[at] ^= 1 << int(random.integers(8))
            case 1:
                result[at] = int(random.integers(256))
            case 2:
                del result[at : at + length]
            case 3:
                result[at:at] = piece
            case 4:
                result[at : at + length] = random.bytes(len(piece))
            case _:
                other = int(random.integers(len(result)))
                result[other : other + length] = piece
    return bytes(result)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_changed_files(layout: str, call: Any, tmp_path: Path) -> None:
    data = original(layout, tmp_path)
    path = tmp_path / "changed.t7"
    path.write_bytes(data)
    call("checkpoint.load", {"path": str(path)})
    random, loaded = np.random.default_rng([SEED, LAYOUTS.index(layout)]), 0
    changes = CHANGES // 3 if "state_dict" in layout else CHANGES  # torch's own path, fuzzed on the side
    for i in range(changes):
        path.write_bytes(changed(data, random))
        try:
            _, (module,) = call("checkpoint.load", {"path": str(path)})
            loaded += isinstance(module, nn.Module)
        except ServiceError as error:
            assert str(error).startswith("Expected "), (i, str(error))
    print(f"{layout}: {loaded} of {changes} changed files still load")
    assert loaded < changes
