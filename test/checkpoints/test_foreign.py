"""checkpoint.load into a module that is there already: a network of the user."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from feynkac_worker.errors import ServiceError
from feynkac_worker.models.enresnet import EnResNet


class Own(nn.Module):
    def __init__(self, width: int = 3) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, width, 3), nn.BatchNorm2d(width))
        self.head = nn.Linear(width, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).mean((2, 3)))


def filled() -> Own:
    torch.manual_seed(5)
    network = Own()
    network(torch.randn(4, 1, 5, 5))
    return network


def equal(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


@pytest.mark.parametrize("file_format", ["pt", "safetensors"])
def test_what_an_adopted_module_saved_comes_back(file_format: str, call: Any, tmp_path: Path) -> None:
    network, other, path = filled(), Own(), str(tmp_path / "own")
    before = {key: value.clone() for key, value in other.state_dict().items()}
    call("checkpoint.save", {"path": path, "format": file_format, "metadata": {"epoch": 3}}, [network])
    value, (found,) = call("checkpoint.load", {"path": path}, [other])
    assert equal(found, network) and found is not other and type(found) is Own
    assert all(torch.equal(value, before[key]) for key, value in other.state_dict().items()), "the input stays"
    assert value["architecture"] == "Own" and value["metadata"]["metadata"] == {"epoch": 3}
    assert value["metadata"]["notes"] == []


def test_layouts_of_the_field_and_what_was_converted(call: Any, tmp_path: Path) -> None:
    network, path = filled(), tmp_path / "a.pth"
    state = {f"module.{key}": value for key, value in network.double().state_dict().items() if "batches" not in key}
    torch.save({"state_dict": state, "epoch": 7}, path)
    value, (found,) = call("checkpoint.load", {"path": str(path)}, [Own()])
    assert torch.equal(found.head.weight, network.head.weight.float()) and found.head.weight.dtype == torch.float32
    assert value["layout"] == "state_dict under `state_dict`, prefix `module.`"
    assert value["metadata"]["notes"] == [
        "1 `num_batches_tracked` entries are missing: they start at 0.",
        "Weights stored as float64 were converted to the network's dtypes.",
    ]


def test_a_module_that_is_wrapped_itself(call: Any, tmp_path: Path) -> None:
    network, path = nn.Sequential(), tmp_path / "a.pth"
    network.add_module("module", filled())
    torch.save(network.state_dict(), path)
    other = nn.Sequential()
    other.add_module("module", Own())
    (found,) = call("checkpoint.load", {"path": str(path)}, [other])[1]
    assert equal(found, network)


def test_a_network_of_ours_takes_weights_saved_without_the_ensemble(call: Any, tmp_path: Path) -> None:
    single = EnResNet(8, width=4)
    torch.save(single.ensemble[0].state_dict(), tmp_path / "a.pth")
    (found,) = call("checkpoint.load", {"path": str(tmp_path / "a.pth")}, [EnResNet(8, width=4)])[1]
    assert equal(found, single)


class Uncopied(Own):
    def __init__(self) -> None:
        super().__init__()
        self.scaled = self.head.weight * 2


class Extra(Own):
    def get_extra_state(self) -> dict[str, int]:
        return {"a": 1}


REFUSED: list[tuple[nn.Module, dict[str, Any], str]] = [
    (Own(4), {}, "to hold the weights of Own with `body.0.weight` as float32[4, 1, 3, 3], got float32[3, 1, 3, 3]"),
    (nn.Linear(2, 2), {}, "to hold the weights of Linear with `weight` as float32[2, 2], got no such key"),
    (
        nn.Identity(),
        {},
        "to hold the weights of Identity, got the unexpected key `body.0.weight` (float32[3, 1, 3, 3])",
    ),
    (Own(), {"name": "resnet8"}, "Expected a module, or `name` and `options` of a network of ours, got both"),
    (Own(), {"options": {"width": 3}}, "Expected a module, or `name` and `options` of a network of ours, got both"),
    (Uncopied(), {}, "Expected a Uncopied that copy.deepcopy can copy, got "),
    (Extra(), {}, "Expected the state_dict of Extra to hold tensors, got `_extra_state`, a dict"),
]


@pytest.mark.parametrize(("module", "params", "sentence"), REFUSED)
def test_what_does_not_fit_is_one_sentence(
    module: nn.Module, params: dict[str, Any], sentence: str, call: Any, tmp_path: Path
) -> None:
    path = tmp_path / "a.pth"
    torch.save(filled().state_dict(), path)
    with pytest.raises(ServiceError) as caught:
        call("checkpoint.load", {"path": str(path), **params}, [module])
    assert sentence in str(caught.value) and str(caught.value).startswith("Expected ")
