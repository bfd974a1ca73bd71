"""Counts, keys and initial values of papers.md sections 3, 7.2 and 9, and the forward pass without noise."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch
from torch import nn

from feynkac_worker.models import build, enresnet
from feynkac_worker.models.description import describe
from feynkac_worker.models.enresnet import EnResNet

torch.set_num_threads(1)


def total(net: nn.Module, *roles: str) -> int:
    sizes = {name: parameter.numel() for name, parameter in net.named_parameters()}
    return sum(sizes[p["name"]] for p in describe(net)["parameters"] if p["role"] in roles)


def input_channels(net: nn.Module, *roles: str) -> int:
    return sum(p["shape"][1] for p in describe(net)["parameters"] if p["role"] in roles)


@pytest.mark.parametrize(
    ("depth", "conv", "norm", "parameters", "channels", "channels_without_downsample"),
    [
        (20, 270_256, 1_376, 272_282, 675, 627),
        (38, 560_560, 2_720, 563_930, 1_347, 1_299),
        (56, 850_864, 4_064, 855_578, 2_019, 1_971),
        (110, 1_721_776, 8_096, 1_730_522, 4_035, 3_987),
    ],
)
def test_counts_of_the_published_networks(
    depth: int, conv: int, norm: int, parameters: int, channels: int, channels_without_downsample: int
) -> None:
    net = EnResNet(depth)
    assert total(net, "conv", "downsample") == conv
    assert total(net, "norm") == norm
    assert total(net, "linear", "bias") == 650
    assert describe(net)["trainable"] == parameters
    assert input_channels(net, "conv", "downsample") == channels
    assert input_channels(net, "conv") == channels_without_downsample


@pytest.mark.parametrize(
    ("depth", "members", "parameters", "channels", "channels_without_downsample"),
    [(20, 2, 544_564, 1_350, 1_254), (20, 5, 1_361_410, 3_375, 3_135), (56, 2, 1_711_156, 4_038, 3_942)],
)
def test_an_ensemble_multiplies_every_count(
    depth: int, members: int, parameters: int, channels: int, channels_without_downsample: int
) -> None:
    net = EnResNet(depth, members, 0.1)
    assert describe(net)["trainable"] == parameters
    assert input_channels(net, "conv", "downsample") == channels
    assert input_channels(net, "conv") == channels_without_downsample


@pytest.mark.parametrize(("name", "parameters"), [("wideresnet28_10", 36_479_194), ("wideresnet34_10", 46_160_474)])
def test_a_wide_network_has_the_known_count(name: str, parameters: int) -> None:
    """36.5 M: Wide Residual Networks (arXiv 1605.07146), WRN-28-10; 46.2 M: WRN-34-10 of the robustness literature."""
    with torch.device("meta"):
        net = build(name)
    assert describe(net)["trainable"] == parameters
    assert describe(net)["name"] == name


def test_a_wide_ensemble_computes_and_is_built_again_from_its_name() -> None:
    net = EnResNet(10, 2, 0.1, width=2, widen=3)
    assert net.architecture == "En2WideResNet10-3"
    assert net(torch.rand(2, 3, 8, 8)).shape == (2, 10)
    assert net.ensemble[0].layer1[0].conv1.weight.shape == (6, 2, 3, 3)


def test_counts_of_the_smoke_network() -> None:
    net = EnResNet(8, width=16, channels=1, stem_stride=2)
    assert describe(net)["trainable"] == 77_562
    assert input_channels(net, "conv", "downsample") == 225


def test_state_dict_keys_are_those_of_the_authors() -> None:
    """The layout of papers.md section 9, in the order of the released checkpoints."""

    def norm(path: str) -> list[str]:
        return [f"{path}.{leaf}" for leaf in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")]

    expected = []
    for k in range(2):
        expected.append(f"ensemble.{k}.conv1.weight")
        for stage in (1, 2, 3):
            for i in range(3):
                block = f"ensemble.{k}.layer{stage}.{i}"
                expected += [
                    *norm(f"{block}.bn1"),
                    f"{block}.conv1.weight",
                    *norm(f"{block}.bn2"),
                    f"{block}.conv2.weight",
                ]
                if i == 0 and stage > 1:
                    expected.append(f"{block}.downsample.0.weight")
        expected += [*norm(f"ensemble.{k}.bn"), f"ensemble.{k}.fc.weight", f"ensemble.{k}.fc.bias"]
    assert list(EnResNet(20, 2, 0.1).state_dict()) == expected
    assert len(EnResNet(20).state_dict()) == 118
    assert len(expected) == 236


def test_initial_values() -> None:
    net = EnResNet(20)
    for module in net.modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() >= 2_000:
            sigma = (2 / (module.kernel_size[0] ** 2 * module.out_channels)) ** 0.5
            assert module.weight.std().item() == pytest.approx(sigma, rel=0.1)
            assert abs(module.weight.mean().item()) < 0.1 * sigma
        if isinstance(module, nn.BatchNorm2d):
            assert torch.equal(module.weight, torch.ones_like(module.weight))
            assert torch.equal(module.bias, torch.zeros_like(module.bias))


def test_forward_is_the_published_formula() -> None:
    """A second, literal transcription of papers.md 7.2 in float64."""
    net = EnResNet(8).double().eval()
    member = net.ensemble[0]
    x = torch.rand(3, 3, 32, 32, dtype=torch.float64)
    h = member.conv1(x)
    for stage in (member.layer1, member.layer2, member.layer3):
        for block in stage:
            o = torch.relu(block.bn1(h))
            residual = h if block.downsample is None else block.downsample(o)
            h = block.conv2(torch.relu(block.bn2(block.conv1(o)))) + residual
    pooled = nn.functional.avg_pool2d(torch.relu(member.bn(h)), 8, 1)
    torch.testing.assert_close(net(x), member.fc(pooled.flatten(1)))


def test_equal_members_without_noise_equal_one_member() -> None:
    single = EnResNet(8).eval()
    x = torch.rand(2, 3, 16, 16)
    for members in (2, 3):
        ensemble = EnResNet(8, members).eval()
        for member in ensemble.ensemble:
            member.load_state_dict(single.ensemble[0].state_dict())
        torch.testing.assert_close(ensemble(x), single(x), rtol=1e-6, atol=1e-6)


def test_logits_are_the_mean_of_the_members() -> None:
    ensemble = EnResNet(8, 3).eval()
    x = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(ensemble(x), torch.stack([member(x, None) for member in ensemble.ensemble]).mean(0))


def test_without_skip_connections() -> None:
    net = EnResNet(20, skip=False)
    assert not any("downsample" in key for key in net.state_dict())
    assert describe(net)["trainable"] == 272_282 - 16 * 32 - 32 * 64
    # Without an identity path, one dead convolution in the middle cuts the image off from the logits.
    nn.init.zeros_(net.ensemble[0].layer2[1].conv2.weight)
    net.eval()
    assert torch.equal(net(torch.rand(1, 3, 32, 32)), net(torch.rand(1, 3, 32, 32)))
    with_skip = EnResNet(20)
    nn.init.zeros_(with_skip.ensemble[0].layer2[1].conv2.weight)
    with_skip.eval()
    assert not torch.equal(with_skip(torch.rand(1, 3, 32, 32)), with_skip(torch.rand(1, 3, 32, 32)))


@pytest.mark.parametrize(("channels", "height", "width"), [(1, 28, 28), (3, 33, 17), (4, 9, 31), (2, 1, 1)])
@pytest.mark.parametrize("stem_stride", [1, 2])
def test_odd_image_sizes_and_channels(channels: int, height: int, width: int, stem_stride: int) -> None:
    net = EnResNet(8, 2, 0.1, width=4, channels=channels, classes=7, stem_stride=stem_stride)
    logits = net(torch.rand(3, channels, height, width))
    assert logits.shape == (3, 7)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_memory_format_of_image_and_weights_does_not_change_the_network(channels: int) -> None:
    net = EnResNet(8, channels=channels).double().eval()
    x = torch.rand(2, channels, 16, 16, dtype=torch.float64)
    reference = net(x)
    torch.testing.assert_close(net(x.contiguous(memory_format=torch.channels_last)), reference)
    torch.testing.assert_close(net.to(memory_format=torch.channels_last)(x), reference)


def test_every_activation_is_channels_last() -> None:
    """Also for one channel, where both layouts look alike; otherwise the noise is added slowly."""
    layouts = []
    for channels in (1, 3):
        net = EnResNet(8, 1, 0.1, channels=channels)
        for block in (*net.ensemble[0].layer1, *net.ensemble[0].layer2, *net.ensemble[0].layer3):
            block.register_forward_hook(
                lambda _module, _args, out: layouts.append(out.is_contiguous(memory_format=torch.channels_last))
            )
        net(torch.rand(2, channels, 16, 16))
    assert layouts == [True] * 6


def test_zeroed_input_slices_are_counted_by_hand() -> None:
    """The definition of papers.md 5.6 on a network with known dead channels: norms of w[:, i] below 1e-15."""
    torch.manual_seed(0)  # one normal draw in ten million or so is exactly zero
    net = EnResNet(20)
    dead = {"ensemble.0.conv1.weight": [1], "ensemble.0.layer2.0.downsample.0.weight": [0, 3, 15]}
    dead["ensemble.0.layer3.2.conv2.weight"] = list(range(50))
    weights = dict(net.named_parameters())
    with torch.no_grad():
        for name, slices in dead.items():
            weights[name][:, slices] = 0
    counted = {"conv": 0, "downsample": 0}
    for p in describe(net)["parameters"]:
        if p["role"] in counted:
            norms = torch.linalg.vector_norm(weights[p["name"]].detach(), dim=(0, 2, 3))
            counted[p["role"]] += int((norms < 1e-15).sum())
    assert counted == {"conv": 51, "downsample": 3}
    zeros = sum(int((weights[p["name"]] == 0).sum()) for p in describe(net)["parameters"] if p["role"] in counted)
    assert zeros == 1 * 16 * 9 + 3 * 32 + 50 * 64 * 9


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"depth": 21}, "Expected `depth` to be 6n + 2 with n >= 1 (8, 14, 20, …), got `21`"),
        ({"depth": 32, "widen": 10}, "Expected `depth` to be 6n + 4 with n >= 1 (10, 16, 22, …), got `32`"),
        ({"depth": 2}, "Expected `depth` to be 6n + 2 with n >= 1 (8, 14, 20, …), got `2`"),
        ({"members": 0}, "Expected `members` to be an integer of at least 1, got `0`"),
        ({"stem_stride": 0}, "Expected `stem_stride` to be an integer of at least 1, got `0`"),
        ({"noise": -0.1}, "Expected `noise` to be a finite number of at least 0, got `-0.1`"),
        ({"noise": float("nan")}, "Expected `noise` to be a finite number of at least 0, got `nan`"),
        ({"noise_std": "batch"}, "Expected `noise_std` to be `tensor` or `sample`, got `batch`"),
    ],
)
def test_impossible_arguments_are_refused(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        EnResNet(**arguments)  # type: ignore[arg-type]
    assert str(caught.value) == sentence


def test_wrong_images_are_refused() -> None:
    net = EnResNet(8)
    with pytest.raises(ValueError, match=r"images of shape \[batch, 3, height, width\], got \[2, 1, 8, 8\]"):
        net(torch.rand(2, 1, 8, 8))
    with pytest.raises(ValueError, match="Expected `draws` to divide the batch size 3, got `2`"):
        net(torch.rand(3, 3, 8, 8), draws=2)


def test_parameters_can_be_replaced_for_one_call() -> None:
    """Binary-Relax and other splittings evaluate the network, and its gradient, at weights that are not its own."""
    net, other = EnResNet(8, 2, width=4).eval(), EnResNet(8, 2, width=4).eval()
    x = torch.rand(2, 3, 8, 8)
    replaced = {name: parameter.detach().requires_grad_() for name, parameter in other.named_parameters()}
    logits = torch.func.functional_call(net, replaced, (x,), {"noise": False})
    assert torch.equal(logits, other(x))
    gradients = torch.autograd.grad(logits.square().sum(), list(replaced.values()))
    expected = torch.autograd.grad(other(x).square().sum(), list(other.parameters()))
    assert all(torch.equal(a, b) for a, b in zip(gradients, expected, strict=True))


def test_the_file_needs_nothing_but_torch() -> None:
    tree = ast.parse(Path(enresnet.__file__).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in imports if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} == {"__future__", "collections", "typing", "torch"}
