"""Torch-Pruning's DepGraph as the oracle of channel removal: the same shapes, and how far the logits move.

For each network with half of its channels zero, the plan of `feynkac compact` (noise 0, no selections) is carried out
twice: by our `narrow`, and by DepGraph, which is told which output channels go and finds the coupled layers itself.
torch-pruning is no dependency of
feynkac; torch_pruning_cost.py says how to make a Python that has it:

    PYTHONPATH=py peer/bin/python benchmarks/peers/torch_pruning_removal.py < plans.jsonl

`npx ts-node -T benchmarks/peers/torch_pruning_removal.ts` writes the plans, runs this and prints its lines.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from typing import Any

import torch
import torch_pruning as tp
from safetensors.torch import load_file
from torch import Tensor, nn

from feynkac_worker.models import build
from feynkac_worker.models.narrow import narrow


def main() -> None:
    torch.set_num_threads(1)
    print(json.dumps({"torch": torch.__version__, "torch_pruning": version("torch-pruning")}))
    for line in sys.stdin:
        print(json.dumps(compare(json.loads(line))), flush=True)


def compare(setup: dict[str, Any]) -> dict[str, Any]:
    dense = build(setup["name"], setup["options"]).eval()
    dense.load_state_dict(load_file(setup["weights"]))
    x_BCHW = torch.rand(8, *setup["size"], generator=torch.Generator().manual_seed(0))

    started = time.perf_counter()
    ours = narrow(dense, setup["widths"]).eval()
    our_seconds = time.perf_counter() - started

    theirs = build(setup["name"], setup["options"]).eval()
    theirs.load_state_dict(dense.state_dict())
    started = time.perf_counter()
    remove(theirs, setup["widths"]["layers"], x_BCHW)
    their_seconds = time.perf_counter() - started

    shapes = [{name: list(p.shape) for name, p in net.named_parameters()} for net in (ours, theirs)]
    with torch.no_grad():
        wanted_BN: Tensor = dense(x_BCHW)
        ours_BN, theirs_BN = ours(x_BCHW), theirs(x_BCHW)
    return {
        "network": dense.architecture,
        "layers": len(shapes[0]),
        "layersOfOtherShape": sorted(name for name in shapes[0] if shapes[0][name] != shapes[1].get(name)),
        "ourDifference": float((ours_BN - wanted_BN).abs().max()),
        "theirDifference": float((theirs_BN - wanted_BN).abs().max()),
        "maxLogit": float(wanted_BN.abs().max()),
        "ourSeconds": our_seconds,
        "theirSeconds": their_seconds,
    }


def remove(net: nn.Module, layers: dict[str, Any], x_BCHW: Tensor) -> None:
    """Takes the output channels of the plan's convolutions out, coupled layers together, as DepGraph finds them."""
    # Indices count the channels that are still there, so each coupled group is removed once.
    graph = tp.DependencyGraph().build_dependency(net, x_BCHW)
    done: set[str] = set()
    names = {module: name for name, module in net.named_modules()}
    for name, entry in layers.items():
        module = net.get_submodule(name)
        if not isinstance(module, nn.Conv2d) or "out" not in entry or name in done:
            continue
        gone = [c for c in range(module.out_channels) if c not in set(entry["out"])]
        group = graph.get_pruning_group(module, tp.prune_conv_out_channels, idxs=gone)
        for dependency, _ in group:
            if dependency.handler.__name__ == "prune_out_channels":
                done.add(names.get(dependency.target.module, ""))
        group.prune()


if __name__ == "__main__":
    main()
