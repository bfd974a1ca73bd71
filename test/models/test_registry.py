"""Names, options and seeds; and what every registered network must do."""

from __future__ import annotations

import pytest
import torch

from feynkac_worker.errors import ServiceError
from feynkac_worker.models import build, option_defaults, registry
from feynkac_worker.models.description import describe

torch.set_num_threads(1)


@pytest.mark.parametrize("name", registry())
def test_conformance(name: str) -> None:
    options = {"width": 4, "classes": 7} if "width" in option_defaults(name) else {}
    net = build(name, options, seed=3)
    x = torch.rand(2, 3, 8, 8)
    logits = net(x, generator=torch.Generator().manual_seed(0))
    assert logits.shape == (2, 7)
    gradients = torch.autograd.grad(logits.square().sum(), list(net.parameters()), allow_unused=True)
    for (parameter, _), gradient in zip(net.named_parameters(), gradients, strict=True):
        assert gradient is not None, f"{parameter} gets no gradient"
        assert torch.isfinite(gradient).all()
    again = build(name, options, seed=3)
    assert torch.equal(again(x, generator=torch.Generator().manual_seed(0)), logits)
    description = describe(net)
    rebuilt = build(description["name"], description["options"], seed=4)
    assert {k: v.shape for k, v in rebuilt.state_dict().items()} == {k: v.shape for k, v in net.state_dict().items()}
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in net.parameters() if p.dim() == 4)


def test_seeds_decide_the_weights_and_leave_the_global_state_alone() -> None:
    before = torch.get_rng_state()
    one, same, other = build("resnet8", seed=1), build("resnet8", seed=1), build("resnet8", seed=2)
    assert torch.equal(torch.get_rng_state(), before)
    key = "ensemble.0.conv1.weight"
    assert torch.equal(one.state_dict()[key], same.state_dict()[key])
    assert not torch.equal(one.state_dict()[key], other.state_dict()[key])
    weights = [one.state_dict()[f"ensemble.0.layer1.0.{conv}.weight"] for conv in ("conv1", "conv2")]
    assert not torch.equal(*weights)


def test_members_of_an_ensemble_start_from_different_weights() -> None:
    state = build("enresnet8", {"members": 2}).state_dict()
    assert not torch.equal(state["ensemble.0.conv1.weight"], state["ensemble.1.conv1.weight"])


@pytest.mark.parametrize(
    ("name", "options", "architecture", "rebuilt_as", "noise"),
    [
        ("resnet20", {}, "ResNet20", "resnet20", 0.0),
        ("resnet110", {"classes": 100}, "ResNet110", "resnet110", 0.0),
        ("enresnet20", {}, "En1ResNet20", "enresnet20", 0.1),
        ("enresnet20", {"members": 2}, "En2ResNet20", "enresnet20", 0.1),
        ("enresnet20", {"members": 5, "noise": 0}, "En5ResNet20", "enresnet20", 0.0),
        ("enresnet20", {"noise": 0}, "ResNet20", "resnet20", 0.0),
        ("resnet20", {"noise": 0.2}, "En1ResNet20", "enresnet20", 0.2),
    ],
)
def test_names_as_the_papers_print_them(
    name: str, options: dict[str, object], architecture: str, rebuilt_as: str, noise: float
) -> None:
    description = describe(build(name, options))
    assert description["architecture"] == architecture
    assert description["name"] == rebuilt_as
    assert description["options"]["noise"] == noise


def test_whole_numbers_arrive_in_the_type_of_the_option() -> None:
    options = describe(build("enresnet8", {"noise": 1, "members": 2.0}))["options"]
    assert (type(options["noise"]), type(options["members"])) == (float, int)


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("resnet21", {}, "Expected `name` to be a known network (resnet8, resnet14, resnet20"),
        ("resnet8", {"member": 2}, "Expected the options of `resnet8` to be among members, noise, width, channels"),
        ("resnet8", {"depth": 20}, "Expected the options of `resnet8` to be among members, noise, width, channels"),
        ("resnet8", {"members": "2"}, "Expected the option `members` of `resnet8` to be an integer, got `2` (str)"),
        ("resnet8", {"members": 1.5}, "Expected the option `members` of `resnet8` to be an integer, got `1.5` (float)"),
        (
            "resnet8",
            {"members": True},
            "Expected the option `members` of `resnet8` to be an integer, got `True` (bool)",
        ),
        ("resnet8", {"skip": 1}, "Expected the option `skip` of `resnet8` to be true or false, got `1` (int)"),
        ("resnet8", {"noise": float("inf")}, "Expected the option `noise` of `resnet8` to be a finite number"),
        ("resnet8", {"width": 0}, "Expected `width` to be an integer of at least 1, got `0` (network `resnet8`)"),
    ],
)
def test_bad_names_and_options_are_refused(name: str, options: dict[str, object], sentence: str) -> None:
    with pytest.raises(ServiceError) as caught:
        build(name, options)
    assert str(caught.value).startswith(sentence)
