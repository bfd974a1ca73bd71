"""Changed files of every torch layout: a checkpoint, or a refusal in one sentence; never another error.

The number of changes per layout is FUZZ_CHECKPOINTS (300); raise it for a long run.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from mutate import damaged
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


def changed(data: bytes, rng: random.Random) -> bytes:
    """One to four changes."""
    result = data
    for _ in range(rng.randint(1, 4)):
        result = damaged(result, rng) or data
    return result


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_changed_files(layout: str, call: Any, tmp_path: Path) -> None:
    data = original(layout, tmp_path)
    path = tmp_path / "changed.t7"
    path.write_bytes(data)
    call("checkpoint.load", {"path": str(path)})
    rng, loaded = random.Random(f"{SEED} {layout}"), 0
    changes = CHANGES // 3 if "state_dict" in layout else CHANGES  # torch's own path, fuzzed on the side
    for i in range(changes):
        path.write_bytes(changed(data, rng))
        try:
            _, (module,) = call("checkpoint.load", {"path": str(path)})
            loaded += isinstance(module, nn.Module)
        except ServiceError as error:
            assert str(error).startswith("Expected "), (i, str(error))
    print(f"{layout}: {loaded} of {changes} changed files still load")
    assert loaded < changes
