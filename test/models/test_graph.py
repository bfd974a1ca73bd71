"""What a module computes, as TypeScript sees it: our networks and those of users."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from feynkac_worker.errors import ServiceError
from feynkac_worker.models import build
from feynkac_worker.tracing.graph import graph_of

torch.set_num_threads(1)


def nodes(module: nn.Module, shape: list[int]) -> list[dict[str, Any]]:
    return graph_of(module, shape)["nodes"]


def kinds(module: nn.Module, shape: list[int] | None = None) -> str:
    return " ".join(node["kind"] for node in nodes(module, shape or [3, 8, 8]))


def why(module: nn.Module) -> list[str]:
    return [node["why"] for node in nodes(module, [3, 8, 8]) if node["kind"] == "opaque"]


class Net(nn.Module):
    """A module whose forward is the function."""

    def __init__(self, forward: Any, **layers: nn.Module) -> None:
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
        self._forward = forward

    def forward(self, x: Tensor) -> Tensor:
        return self._forward(self, x)


def test_our_network_node_by_node() -> None:
    net = build("enresnet8", {"members": 2, "width": 4, "noise": 0.1})
    found = nodes(net, [3, 16, 16])
    layers = {node["module"]: node for node in found if node["module"]}
    assert set(layers) == {name.rpartition(".")[0] for name, _ in net.named_parameters()}
    assert Counter(node["kind"] for node in found) == {
        **{"input": 1, "conv": 18, "norm": 14, "relu": 17, "add": 7, "noise": 6, "mean": 2, "linear": 2},
        **{"scale": 1, "output": 1},
    }
    assert {**layers["ensemble.1.layer2.0.conv1"], "id": 0, "inputs": 0} == {
        **{"id": 0, "kind": "conv", "module": "ensemble.1.layer2.0.conv1", "inputs": 0, "shape": [1, 8, 8, 8]},
        **{"kernel": [3, 3], "stride": [2, 2], "padding": [1, 1], "groups": 1, "bias": False, "operation": "Conv2d"},
    }
    assert Counter(node["operation"] for node in found if node["kind"] == "relu") == {"relu": 14, "contiguous": 3}
    by_id = {node["id"]: node for node in found}
    assert len(by_id) == len(found)
    assert all(other in by_id for node in found for other in node["inputs"])
    # Block 1 of stage 2: the addition joins the last convolution and the downsample path, and noise follows.
    add = next(n for n in found if n["kind"] == "add" and layers["ensemble.0.layer2.0.conv2"]["id"] in n["inputs"])
    assert [by_id[i]["module"] for i in add["inputs"]] == [
        f"ensemble.0.layer2.0.{x}" for x in ("conv2", "downsample.0")
    ]
    (noise,) = [n for n in found if add["id"] in n["inputs"]]
    assert noise["kind"] == "noise"
    # The relu changes its input in place; both convolutions of the block take its result.
    relu = by_id[layers["ensemble.0.layer2.0.conv1"]["inputs"][0]]
    assert (relu["kind"], relu["zero"]) == ("relu", True)
    assert layers["ensemble.0.layer2.0.downsample.0"]["inputs"] == [relu["id"]]


def test_without_noise_and_without_skips() -> None:
    assert "noise" not in kinds(build("resnet8"))
    assert "add" not in kinds(build("resnet8", {"skip": False}))


def test_the_module_and_the_random_streams_stay() -> None:
    net = build("enresnet8", {"width": 4}).train()
    before, state = torch.get_rng_state(), {k: v.clone() for k, v in net.state_dict().items()}
    nodes(net, [3, 8, 8])
    assert net.training and torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(v, state[k]) for k, v in net.state_dict().items())


def conv(i: int = 3, o: int = 4, **options: Any) -> nn.Conv2d:
    return nn.Conv2d(i, o, 3, padding=1, **options)


FORMS = {
    "modules": (
        nn.Sequential(
            *(conv(), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Dropout(0.1)),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)),
        ),
        "input conv norm relu pool relu pool flatten linear output",
    ),
    "functions": (
        Net(
            lambda s, x: s.fc(F.avg_pool2d(F.max_pool2d(F.relu(s.bn(s.conv(x))), 2), 4).view(x.size(0), -1)),
            **{"conv": conv(), "bn": nn.BatchNorm2d(4), "fc": nn.Linear(4, 2)},
        ),
        "input conv norm relu pool pool flatten linear output",
    ),
    "reshape": (Net(lambda s, x: s.conv(x).reshape(-1, 4 * 64), conv=conv()), "input conv flatten output"),
    "mean": (Net(lambda s, x: torch.mean(s.conv(x), dim=[-2, -1]), conv=conv()), "input conv mean output"),
    "mean twice": (Net(lambda s, x: s.conv(x).mean(3).mean(2), conv=conv()), "input conv pool mean output"),
    "keepdim": (Net(lambda s, x: s.conv(x).mean((2, 3), keepdim=True), conv=conv()), "input conv pool output"),
    "squeeze": (
        Net(lambda s, x: F.adaptive_avg_pool2d(s.conv(x), 1).squeeze(-1).squeeze(-1), conv=conv()),
        "input conv pool pool flatten output",
    ),
    "additions": (
        Net(lambda s, x: torch.add(s.a(x), s.b(x)) + s.a(x).add(s.b(x)) - s.b(x), a=nn.ReLU(), b=nn.Tanh()),
        "input relu relu add relu relu add add relu add output",
    ),
    "concat": (Net(lambda s, x: torch.cat([s.a(x), x, x], -3), a=conv()), "input conv concat output"),
    "scales": (Net(lambda s, x: -(2 * s.a(x) / 3).mul_(4), a=conv()), "input conv scale scale scale scale output"),
    "padding": (Net(lambda s, x: F.pad(s.a(x), (1, 1, 0, 2))[:, :, ::2], a=conv()), "input conv pool pool output"),
    "type": (
        Net(lambda s, x: torch.cat([s.a(x) if isinstance(x, Tensor) else x[0], x], 1), a=conv()),
        "input conv concat output",
    ),
    "flag": (
        Net(lambda s, x: s.a(x) if x.shape[1] == 3 and len(x) > 0 and x.ndim == 4 else x, a=conv()),
        "input conv output",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_forms_that_users_write(name: str) -> None:
    module, expected = FORMS[name]
    assert kinds(module) == expected


def test_maps_that_keep_zeros_and_maps_that_do_not() -> None:
    def zero(function: Any) -> bool:
        (found,) = [n for n in nodes(Net(lambda s, x: function(x)), [3, 8, 8]) if n["kind"] == "relu"]
        return found["zero"]

    assert all(map(zero, [F.relu, F.gelu, F.silu, torch.tanh, lambda x: x.clamp(0, 1), lambda x: x * x]))
    assert not any(map(zero, [torch.sigmoid, F.softplus, torch.exp, lambda x: x + 1, lambda x: 1 - x]))
    assert not zero(lambda x: x.clamp(min=0.5))


def test_a_change_in_place_counts_for_later_uses() -> None:
    def forward(s: Any, x: Tensor) -> Tensor:
        y = s.a(x)
        F.relu_(y)
        z = s.b(y)
        z += y
        return z

    found = {n["id"]: n for n in nodes(Net(forward, a=conv(), b=conv(4, 4)), [3, 8, 8])}
    (add,) = [n for n in found.values() if n["kind"] == "add"]
    assert [found[i]["kind"] for i in add["inputs"]] == ["conv", "relu"]


def test_grouped_and_depthwise_convolutions_say_so() -> None:
    net = nn.Sequential(conv(4, 4, groups=4), conv(4, 8, groups=2, stride=(1, 2), bias=False))
    depthwise, grouped = [n for n in nodes(net, [4, 8, 8]) if n["kind"] == "conv"]
    assert (depthwise["groups"], grouped["groups"], grouped["stride"], grouped["bias"]) == (4, 2, [1, 2], False)


class Normalising(nn.Module):
    """Images are normalised inside of the network, by buffers and by constants."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = conv()
        self.register_buffer("mean", torch.zeros(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv((x - self.mean) / torch.tensor(2.0))


def test_buffers_and_constants_are_nodes_of_their_own() -> None:
    found = nodes(Normalising(), [3, 8, 8])
    assert [n["kind"] for n in found] == ["input", *["opaque"] * 4, "conv", "output"]
    assert found[2]["inputs"] == ["x", found[1]["id"]] and found[-2]["shape"] == [1, 4, 8, 8]
    assert found[1]["why"] == "`mean` is used outside of its layer"


class Own(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight.sign(), None, 1, 1)


def hooked() -> nn.Module:
    layer = conv()
    layer.register_forward_hook(lambda *_: None)
    return layer


def shared() -> nn.Module:
    layer = conv(3, 3)
    return nn.Sequential(layer, nn.ReLU(), layer)


def tied() -> nn.Module:
    net = nn.Sequential(conv(3, 3), conv(3, 3))
    net[1].weight = net[0].weight
    return net


OPAQUE = {
    "groups": (nn.GroupNorm(3, 3), ["GroupNorm is not known"]),
    "softmax": (nn.Softmax(1), ["Softmax is not known"]),
    "shuffle": (Net(lambda s, x: x.permute(0, 2, 3, 1)), ["`permute` is not known"]),
    "gate": (Net(lambda s, x: x * x.mean((2, 3), keepdim=True)), ["`mul` of 2 tensors is not known"]),
    "one channel": (
        Net(lambda s, x: x + x.mean(1, keepdim=True)),
        ["`mean` goes over batch or channels", "`add` of shapes that differ in rank or channels"],
    ),
    "bits of channels": (Net(lambda s, x: x[:, :2]), ["`[…]` takes channels apart"]),
    "batch": (Net(lambda s, x: torch.cat([x, x])), ["`cat` of another dimension than the channels"]),
    "noise": (Net(lambda s, x: torch.randn_like(x)), ["`randn_like` is not known"]),
    "dropout": (Net(lambda s, x: F.dropout(x)), ["`dropout` draws random numbers"]),
    "hooks": (hooked(), ["it has hooks"]),
    "twice": (shared(), ["its weights are used in more than one place"] * 2),
    "tied": (tied(), ["its weights are used in more than one place"] * 2),
    "linear": (nn.Linear(8, 2), ["its input is no [batch, features]"]),
    "two values": (
        Net(lambda s, x: sum(x.chunk(3, 1))),
        ["`chunk` gives no [batch, channels, …]", *["`getitem` takes no [batch, channels, …]"] * 3],
    ),
}


@pytest.mark.parametrize("name", OPAQUE)
def test_what_is_not_understood_is_opaque_and_says_why(name: str) -> None:
    module, expected = OPAQUE[name]
    assert why(module) == expected


def test_a_layer_that_must_stay_still_says_what_it_costs() -> None:
    (first, *_) = [n for n in nodes(shared(), [3, 8, 8]) if n["kind"] == "opaque"]
    assert (first["as"], first["kernel"], first["module"]) == ("conv", [3, 3], "0")
    assert [n["why"] for n in nodes(Own(3, 4, 3), [3, 8, 8]) if "as" in n] == []
    assert "opaque" in kinds(Own(3, 4, 3))


def sentence(module: nn.Module, shape: list[int] | None = None) -> str:
    with pytest.raises(ServiceError) as caught:
        graph_of(module, shape or [3, 8, 8])
    return str(caught.value)


def test_refusals_name_the_line() -> None:
    def branch(s: Any, x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x

    assert sentence(Net(branch)) == (
        "Expected `Net` to compute the same steps for all images, got control flow that depends on the values of a "
        f"tensor (test_graph.py, line {branch.__code__.co_firstlineno + 1})"
    )

    def views(s: Any, x: Tensor) -> Tensor:
        y = x.view(x.shape)
        y.relu_()
        return x

    assert sentence(Net(views)).startswith("Expected no change in place of a tensor that is also used through another")
    refused = sentence(build("resnet8"), [4, 8, 8])
    assert refused.startswith("Expected `EnResNet` to take images of shape [4, 8, 8] and to be traced by torch.fx, got")
    assert "\n" not in refused
