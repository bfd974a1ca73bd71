"""Channels that nobody reads are taken out: exact on integers, within rounding on floats, with the noise as it was."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from feynkac_worker.models import build
from feynkac_worker.models.description import describe
from feynkac_worker.models.enresnet import EnResNet
from feynkac_worker.models.narrow import Selected, Zeros, narrow, widths_of
from feynkac_worker.tracing.graph import graph_of

torch.set_num_threads(1)

Layers = dict[str, dict[str, Any]]


def plan(layers: Layers) -> dict[str, Any]:
    return {"version": 1, "layers": layers}


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def integers(module: nn.Module, seed: int = 0) -> nn.Module:
    """Small whole weights, and batch norms that map whole numbers to whole numbers: all sums are exact."""
    draws = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eps = 0.0
                layer.running_var.fill_(1)
                for tensor in (layer.weight, layer.bias, layer.running_mean):
                    tensor.copy_(torch.randint(-1, 2, tensor.shape, generator=draws))
            elif isinstance(layer, nn.Conv2d | nn.Linear):
                for p in layer.parameters():
                    p.copy_(torch.randint(-1, 2, p.shape, generator=draws))
    return module


def randomised(module: nn.Module, seed: int = 0) -> nn.Module:
    """Batch norms as after training."""
    draws = torch.Generator().manual_seed(seed)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor in (layer.weight, layer.bias, layer.running_mean):
                tensor.data.normal_(generator=draws)
            layer.running_var.uniform_(0.5, 2, generator=draws)
    return module


def dead_slices(net: EnResNet, seed: int) -> Layers:
    """Random zero input slices in all convolutions of the blocks, and the widths that go with them.

    Inside of a block channels go; of the residual stream, whose standard deviation counts, they are only not read.
    """
    draws = torch.Generator().manual_seed(seed)
    layers: Layers = {}

    def cut(layer: nn.Conv2d) -> list[int]:
        kept = [i for i in range(layer.in_channels) if torch.rand((), generator=draws) < 0.6] or [0]
        gone = [i for i in range(layer.in_channels) if i not in kept]
        layer.weight.data[:, gone] = 0
        return kept

    for path, block in net.named_modules():
        if not path.endswith((".0", ".1", ".2")) or not hasattr(block, "conv2"):
            continue
        stream, inner = cut(block.conv1), cut(block.conv2)
        if block.downsample is not None:
            gone = [i for i in range(block.conv1.in_channels) if i not in stream]
            block.downsample[0].weight.data[:, gone] = 0
            layers[f"{path}.downsample.0"] = {"in": stream}
        layers[f"{path}.bn1"] = {"out": stream, "select": True}
        layers[f"{path}.conv1"] = {"in": stream, "out": inner}
        layers[f"{path}.bn2"] = {"out": inner}
        layers[f"{path}.conv2"] = {"in": inner}
    return layers


def network(**options: Any) -> EnResNet:
    net = build("enresnet8", {"members": 2, "width": 8, "noise": 0.0, **options}, seed=3).eval()
    assert isinstance(net, EnResNet)
    return net


@pytest.mark.parametrize("options", [{}, {"skip": False}, {"members": 1}])
def test_removal_is_exact_on_integers(options: dict[str, Any]) -> None:
    for seed in range(3):
        net = integers(network(**options), seed)
        small = narrow(net, plan(dead_slices(net, seed)))
        x = torch.randint(-2, 3, (4, 3, 16, 16), generator=generator()).float()
        expected = net(x)
        assert expected.abs().max() < 2**24 and expected.std() > 0
        assert torch.equal(small(x), expected)
        assert describe(small)["trainable"] < describe(net)["trainable"]


@pytest.mark.parametrize("noise_std", ["tensor", "sample"])
def test_removal_keeps_floats_and_the_noise(noise_std: str) -> None:
    for seed in range(3):
        net = randomised(network(noise=0.3, noise_std=noise_std), seed)
        small = narrow(net, plan(dead_slices(net, seed)))
        x = torch.rand(8, 3, 16, 16, generator=generator())
        for call in ({"noise": False}, {"generator": generator()}, {"generator": generator(), "draws": 2}):
            again = {**call, "generator": generator()} if "generator" in call else call
            expected, found = net(x, **call), small(x, **again)
            assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()
            assert torch.equal(found.argmax(1), expected.argmax(1))


def test_gradients_stay() -> None:
    """In training mode too: a channel that nobody reads has no part in any statistic that counts."""
    net = randomised(network(noise=0.1)).double().train()
    small = narrow(net, plan(dead_slices(net, 1)))
    x = torch.rand(4, 3, 8, 8, dtype=torch.float64, generator=generator()).requires_grad_()
    grads = [
        torch.autograd.grad(F.cross_entropy(m(x, generator=generator()), torch.arange(4)), x)[0] for m in (net, small)
    ]
    assert (grads[0] - grads[1]).abs().max() <= 1e-9 * grads[0].abs().max()


def dead(*paths: str) -> Layers:
    return {path: {"zero": True} for path in paths}


def test_dead_branches_and_downsamples_cost_nothing() -> None:
    net = integers(network(members=1))
    first, second, third = (getattr(net.ensemble[0], f"layer{i}")[0] for i in (1, 2, 3))
    for layer in (first.conv2, second.downsample[0], third.conv2, third.downsample[0]):
        layer.weight.data.zero_()
    block = "ensemble.0.layer{}.0.{}".format
    parts = ("bn1", "conv1", "bn2", "conv2")
    layers = {
        **dead(*(block(i, part) for i in (1, 3) for part in parts)),
        **dead(block(2, "downsample.0"), block(3, "downsample.0")),
    }
    small = narrow(net, plan(layers))
    x = torch.randint(-2, 3, (2, 3, 15, 16), generator=generator()).float()
    assert torch.equal(small(x), net(x))
    left = {name.rpartition(".")[0] for name, _ in small.named_parameters()}
    assert left == {"ensemble.0.conv1", *(block(2, part) for part in parts), "ensemble.0.bn", "ensemble.0.fc"}
    # Neither zeros nor additions of zeros where the block knows better.
    kinds = [n["kind"] for n in graph_of(small, [3, 15, 16])["nodes"]]
    assert kinds.count("conv") == 3 and kinds.count("add") == 0
    whys = [n["why"] for n in graph_of(small, [3, 15, 16])["nodes"] if n["kind"] == "opaque"]
    assert whys == ["it gives zeros"]  # the whole third block


def test_a_dead_branch_beside_a_live_downsample() -> None:
    net = integers(network(members=1))
    net.ensemble[0].layer2[0].conv2.weight.data.zero_()
    small = narrow(net, plan(dead(*(f"ensemble.0.layer2.0.{part}" for part in ("conv1", "bn2", "conv2")))))
    x = torch.randint(-2, 3, (2, 3, 8, 8), generator=generator()).float()
    assert torch.equal(small(x), net(x))
    assert "zero" not in repr(small.ensemble[0].layer2[0].bn1).lower()


def test_a_dead_branch_without_skips_gives_zeros() -> None:
    net = integers(network(members=1, skip=False))
    net.ensemble[0].layer2[0].conv2.weight.data.zero_()
    small = narrow(net, plan(dead(*(f"ensemble.0.layer2.0.{part}" for part in ("bn1", "conv1", "bn2", "conv2")))))
    x = torch.randint(-2, 3, (2, 3, 9, 8), generator=generator()).float()
    assert torch.equal(small(x), net(x))


def test_a_dead_member_still_draws_its_noise() -> None:
    """Its bias counts in the mean, and the other member keeps its draws."""
    net = randomised(network(noise=0.2))
    net.ensemble[0].fc.weight.data.zero_()
    gone = [name for name, m in net.ensemble[0].named_modules() if isinstance(m, nn.Conv2d | nn.BatchNorm2d)]
    layers = {**dead(*(f"ensemble.0.{name}" for name in gone)), "ensemble.0.fc": {"in": [0]}}
    layers["ensemble.0.bn"] = {"zero": True, "out": [0]}
    small = narrow(net, plan(layers))
    x = torch.rand(4, 3, 8, 8, generator=generator())
    expected, found = net(x, generator=generator()), small(x, generator=generator())
    assert torch.allclose(found, expected, rtol=1e-5, atol=0)
    assert sum(p.numel() for p in small.ensemble[0].parameters()) == 20


def test_the_original_stays_and_the_copy_keeps_names_layout_and_modes() -> None:
    net = network()
    net.ensemble[0].conv1.weight.requires_grad_(False)
    before = copy.deepcopy(net.state_dict())
    layers = dead_slices(copy.deepcopy(net), 0)
    small = narrow(net, plan(layers))
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert list(small.state_dict()) == list(net.state_dict())
    assert not small.ensemble[0].conv1.weight.requires_grad and not small.training
    weight = small.ensemble[0].layer1[0].conv1.weight
    assert weight.is_contiguous(memory_format=torch.channels_last) and weight._base is None
    roles = {p["name"]: p["role"] for p in describe(net)["parameters"]}
    assert {p["name"]: p["role"] for p in describe(small)["parameters"]} == roles
    assert describe(small)["widths"] == widths_of(small) == plan(layers)
    assert "widths" not in describe(net) and widths_of(net) is None
    assert (describe(small)["name"], describe(small)["options"]) == ("enresnet8", net.options)


def test_twice_is_two_plans() -> None:
    net = randomised(network(members=1))
    block = "ensemble.0.layer1.0."
    first = plan({block + "bn1": {"out": [1, 2, 5], "select": True}, block + "conv1": {"in": [1, 2, 5]}})
    second = plan({block + "bn1": {"out": [0, 2], "select": True}, block + "conv1": {"in": [0, 2]}})
    twice = narrow(narrow(net, first), second)
    assert twice.ensemble[0].layer1[0].bn1.index.tolist() == [1, 5]
    assert widths_of(twice) == {**first, "then": second}
    once = narrow(net, {**first, "then": second})
    x = torch.rand(2, 3, 8, 8)
    assert torch.equal(once(x), twice(x)) and once(x).std() > 0
    third = narrow(once, plan({}))
    assert widths_of(third) == {**first, "then": {**second, "then": plan({})}}


class User(nn.Module):
    """Convolutions of all kinds, concatenation and features: nothing of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(2, 4, 3, padding=1)
        self.depthwise = nn.Conv2d(4, 4, 3, stride=2, padding="valid", groups=4)
        self.bn = nn.BatchNorm2d(4)
        self.b = nn.Conv2d(6, 3, 1, padding="same")
        self.fc = nn.Linear(3 * 9, 5)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn(self.depthwise(self.a(x))).relu()
        y = self.b(torch.cat([y, x[:, :, 1:-1:2, 1:-1:2]], 1))
        return self.fc(y.flatten(1))


def test_a_module_of_the_user() -> None:
    net = integers(User()).eval()
    net.b.weight.data[:, [1, 3]] = 0
    net.fc.weight.data[:, 9:18] = 0
    kept = {"out": [0, 2]}
    layers = {
        **{"a": kept, "depthwise": {"in": [0, 2], "out": [0, 2]}, "bn": kept},
        **{"b": {"in": [0, 2, 4, 5], "out": [0, 2]}, "fc": {"in": [*range(9), *range(18, 27)]}},
    }
    small = narrow(net, plan(layers))
    x = torch.randint(-2, 3, (3, 2, 8, 8), generator=generator()).float()
    assert torch.equal(small(x), net(x))
    assert (small.depthwise.groups, small.depthwise.in_channels) == (2, 2)
    selected = narrow(net, plan({"fc": {**layers["fc"], "select": True}}))
    assert isinstance(selected.fc, Selected) and torch.equal(selected(x), net(x))


def test_zeros_have_the_shape_of_the_layer() -> None:
    for layer in (
        *(
            nn.Conv2d(2, 5, 3, 2, 1),
            nn.Conv2d(2, 5, (3, 2), (1, 2), (0, 1), (2, 1)),
            nn.Conv2d(2, 5, 3, padding="same"),
        ),
        *(nn.Conv2d(2, 5, 3, padding="valid"), nn.BatchNorm2d(2)),
    ):
        for x in (torch.rand(3, 2, 7, 9), torch.rand(3, 2, 8, 6).contiguous(memory_format=torch.channels_last)):
            zeros, expected = Zeros(layer, getattr(layer, "out_channels", 2))(x), layer.eval()(x)
            assert zeros.shape == expected.shape and zeros.stride() == expected.stride() and not zeros.any()
    assert Zeros(nn.Linear(4, 2), 2)(torch.rand(3, 4)).shape == (3, 2)


def test_selecting_keeps_the_layout() -> None:
    net = network(members=1)
    block = "ensemble.0.layer1.0.bn1"
    layer = narrow(net, plan({block: {"out": [0, 3], "select": True}})).ensemble[0].layer1[0].bn1
    for layout in (torch.contiguous_format, torch.channels_last):
        x = torch.rand(2, 8, 4, 4).contiguous(memory_format=layout)
        found = layer(x)
        assert found.is_contiguous(memory_format=layout)
        assert torch.allclose(found, net.ensemble[0].layer1[0].bn1(x)[:, [0, 3]])
    with pytest.raises(ValueError, match=r"Expected an input of 8 channels, got \[2, 2, 4, 4\]"):
        layer(torch.rand(2, 2, 4, 4))


def tied() -> nn.Module:
    layer = nn.Conv2d(2, 2, 1)
    return nn.Sequential(layer, nn.ReLU(), layer)


def chain(n: int) -> dict[str, Any]:
    return {**plan({}), "then": chain(n - 1)} if n else plan({})


BAD = [
    ({}, "Expected `widths` to be a map with `version` 1 and a map `layers`"),
    (
        {"version": 2, "layers": {}},
        "Expected `widths` to have `version` 1, `layers` and perhaps `then`, got version `2`",
    ),
    ({**plan({}), "code": 1}, "Expected `widths` to have `version` 1, `layers` and perhaps `then`, got `code`"),
    (chain(16), "Expected at most 16 plans of widths one after another"),
    (plan({"": {}}), "Expected `` to be a Conv2d, BatchNorm2d or Linear, got nothing of that name"),
    (plan({"a.weight": {}}), "Expected `a.weight` to be a Conv2d, BatchNorm2d or Linear, got nothing of that name"),
    (plan({"a": 3}), "Expected the widths of `a` to be a map of `in`, `out`, `select`, `zero`"),
    (plan({"a": {"on": []}}), "Expected the widths of `a` to be a map of `in`, `out`, `select`, `zero`"),
    *[
        (
            plan({"a": {"in": value}}),
            f"Expected `in` of `a` to be a list of ascending integers below 2, at least one, got {got}",
        )
        for value, got in (
            *(([], "0 entries"), ([2], "1 entries"), ([-1], "1 entries"), ([1, 0], "2 entries"), ([0, 0], "2 entries")),
            *(([0.0], "1 entries"), ([True], "1 entries"), ({"0": 1}, "a dict"), ([0] * 10**5, "100000 entries")),
        )
    ],
    (plan({"bn": {"in": [0]}}), "Expected the widths of the norm `bn` to have `out`, got `in`"),
    (plan({"bn": {"select": True}}), "Expected `select` of `bn` to come with `out`"),
    (plan({"a": {"select": 1}}), "Expected `select` and `zero` of `a` to be true or false"),
    (plan({"depthwise": {"out": [0]}}), "Expected `depthwise`, a convolution of 4 groups, to keep all channels"),
    (
        {**plan({"a": {"in": [0], "select": True}}), "then": plan({"a": {"in": [0]}})},
        "Expected `in` of `a`, which selects its input, to come with `select`",
    ),
]


@pytest.mark.parametrize(("widths", "expected"), BAD)
def test_refusals(widths: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError) as caught:
        narrow(User(), widths)
    assert str(caught.value) == expected


def test_shared_and_computed_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="Expected `0` to have weights of its own, got a layer that shares them"):
        narrow(tied(), plan({"0": {}}))
    normed = nn.Sequential(nn.Conv2d(2, 2, 1))
    with pytest.warns(FutureWarning), torch.no_grad():
        nn.utils.weight_norm(normed[0])
    with pytest.raises(ValueError, match="Expected `0` to have a weight, got one that is computed from others"):
        narrow(normed, plan({"0": {"out": [0]}}))
