"""Torch-Pruning's count_ops_and_params of our networks: the oracle of the count that carries its name.

It sees modules only, so each network is counted twice: as it is, its ReLU and mean being functions, and with modules
in their place, as the published network was written. torch-pruning is no dependency of feynkac: run this with a Python
that has it, for example

    python -m venv peer && peer/bin/pip install torch==2.13.0 torch-pruning==1.6.1
    PYTHONPATH=py peer/bin/python benchmarks/peers/torch_pruning_cost.py > benchmarks/results/torch-pruning-cost.json
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

import torch
import torch_pruning as tp
from torch import Tensor, nn

from feynkac_worker.models import build

NETWORKS: list[tuple[str, dict[str, Any], list[int]]] = [
    ("resnet20", {}, [3, 32, 32]),
    ("enresnet20", {"members": 2}, [3, 32, 32]),
    ("enresnet20", {"members": 2, "noise": 0.0, "skip": False}, [3, 32, 32]),
    ("resnet56", {}, [3, 32, 32]),
    ("wideresnet34_10", {"width": 2}, [3, 32, 32]),
    ("resnet8", {"channels": 1, "stem_stride": 2}, [1, 28, 28]),
]


class ModuleBlock(nn.Module):
    """A block of ours whose activations are modules."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.bn1, self.conv1, self.bn2, self.conv2 = block.bn1, block.conv1, block.bn2, block.conv2
        self.downsample, self.skip = block.downsample, block.skip
        self.relu1, self.relu2 = nn.ReLU(), nn.ReLU()

    def forward(self, x_BCHW: Tensor) -> Tensor:
        o_BCHW = self.relu1(self.bn1(x_BCHW))
        residual_BCHW = x_BCHW if self.downsample is None else self.downsample(o_BCHW)
        o_BCHW = self.conv2(self.relu2(self.bn2(self.conv1(o_BCHW))))
        return o_BCHW + residual_BCHW if self.skip else o_BCHW


class ModuleMember(nn.Module):
    """A member of ours whose activations and pooling are modules."""

    def __init__(self, member: Any) -> None:
        super().__init__()
        stages = (member.layer1, member.layer2, member.layer3)
        self.conv1, self.bn, self.fc = member.conv1, member.bn, member.fc
        self.blocks = nn.Sequential(*(ModuleBlock(block) for stage in stages for block in stage))
        self.relu, self.pool = nn.ReLU(), nn.AdaptiveAvgPool2d(1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return self.fc(self.pool(self.relu(self.bn(self.blocks(self.conv1(x_BCHW))))).flatten(1))


class ModuleEnsemble(nn.Module):
    """The mean of the members, without noise."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.ensemble = nn.ModuleList(ModuleMember(member) for member in net.ensemble)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return torch.stack([member(x_BCHW) for member in self.ensemble]).mean(0)


def counted(net: nn.Module, image: list[int]) -> dict[str, int]:
    operations, parameters = tp.utils.count_ops_and_params(net.eval(), torch.zeros(1, *image))
    return {"operations": int(operations), "parameters": int(parameters)}


def main() -> None:
    rows = []
    for name, options, image in NETWORKS:
        net = build(name, options)
        as_modules = ModuleEnsemble(net)
        x = torch.rand(2, *image)
        with torch.no_grad():
            difference = (net.eval()(x, noise=False) - as_modules.eval()(x)).abs().max()
        assert difference < 1e-4, "both forms are the same network"
        rows.append(
            {
                **{"network": name, "options": options, "image": image},
                **{"asFunctions": counted(net, image), "asModules": counted(as_modules, image)},
            }
        )
    versions = {"torchPruning": version("torch-pruning"), "torch": str(torch.__version__)}
    print(json.dumps({"tool": "torch_pruning.utils.count_ops_and_params", "versions": versions, "networks": rows}))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
