"""Roles of parameters, for our networks and for modules that we did not write."""

from __future__ import annotations

from torch import nn

from feynkac_worker.models import build
from feynkac_worker.models.description import describe


def roles(module: nn.Module) -> dict[str, str]:
    return {p["name"]: p["role"] for p in describe(module)["parameters"]}


def test_roles_of_our_network() -> None:
    found = roles(build("resnet8"))
    assert found["ensemble.0.conv1.weight"] == "conv"
    assert found["ensemble.0.layer2.0.conv1.weight"] == "conv"
    assert found["ensemble.0.layer2.0.downsample.0.weight"] == "downsample"
    assert found["ensemble.0.layer1.0.bn1.weight"] == found["ensemble.0.bn.bias"] == "norm"
    assert found["ensemble.0.fc.weight"] == "linear"
    assert found["ensemble.0.fc.bias"] == "bias"


def test_description_lists_parameters_and_buffers_in_module_order() -> None:
    net = build("enresnet8", {"members": 2})
    description = describe(net)
    assert [p["name"] for p in description["parameters"]] == [name for name, _ in net.named_parameters()]
    assert [b["name"] for b in description["buffers"]] == [name for name, _ in net.named_buffers()]
    assert description["parameters"][0] == {"name": "ensemble.0.conv1.weight", "shape": [16, 3, 3, 3], "role": "conv"}
    assert description["buffers"][2] == {"name": "ensemble.0.layer1.0.bn1.num_batches_tracked", "shape": []}
    assert description["members"] == 2


class Foreign(nn.Module):
    """Attributes named like ours mean something else here."""

    def __init__(self) -> None:
        super().__init__()
        self.options = {1, 2}
        self.name = 7
        self.stem = nn.Conv2d(3, 4, 1)
        self.shortcut = nn.Sequential(nn.Conv2d(4, 8, 1, bias=False), nn.BatchNorm2d(8))
        self.shortcut_wide = nn.Conv2d(8, 8, 3, groups=2)
        self.up = nn.ConvTranspose2d(8, 8, 2)
        self.norm = nn.GroupNorm(2, 8)
        self.head = nn.Linear(8, 2)
        self.tied = self.head
        self.scale = nn.Parameter(self.head.weight[0].detach())
        self.head.bias.requires_grad_(False)


def test_foreign_modules_are_described_by_their_structure() -> None:
    module = Foreign()
    assert roles(module) == {
        "scale": "bias",
        "stem.weight": "conv",
        "stem.bias": "bias",
        "shortcut.0.weight": "downsample",
        "shortcut.1.weight": "norm",
        "shortcut.1.bias": "norm",
        "shortcut_wide.weight": "conv",
        "shortcut_wide.bias": "bias",
        "up.weight": "linear",
        "up.bias": "bias",
        "norm.weight": "norm",
        "norm.bias": "norm",
        "head.weight": "linear",
        "head.bias": "bias",
    }
    description = describe(module)
    assert (description["name"], description["options"], description["members"]) == ("Foreign", {}, 1)
    assert description["trainable"] == sum(p.numel() for p in module.parameters()) - 2
