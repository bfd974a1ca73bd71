"""checkpoint.inspect and checkpoint.load: which network a file holds, and whether its weights arrive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor

from feynkac_worker.errors import ServiceError
from feynkac_worker.models import build
from feynkac_worker.models.enresnet import EnResNet

NOISE_0 = "The file does not store `noise`: 0.0 was assumed."
NOISE_1 = "The file does not store `noise`: 0.1 was assumed."
STRIDE = "The file does not store `stem_stride`: 1 was assumed."


def options_of(**changed: Any) -> dict[str, Any]:
    options = {"members": 1, "noise": 0.0, "width": 16, "channels": 3, "classes": 10, "stem_stride": 1, "skip": True}
    return {**options, **changed}


@pytest.mark.parametrize(
    ("network", "name", "options", "notes"),
    [
        (EnResNet(20), "resnet20", options_of(), [NOISE_0, STRIDE]),
        (EnResNet(20, 2, 0.1), "enresnet20", options_of(members=2, noise=0.1), [NOISE_1, STRIDE]),
        (EnResNet(38, 1, classes=100), "resnet38", options_of(classes=100), [NOISE_0, STRIDE]),
        (EnResNet(8, 5, width=4), "enresnet8", options_of(members=5, noise=0.1, width=4), [NOISE_1, STRIDE]),
        (EnResNet(14, channels=1, skip=False), "resnet14", options_of(channels=1, skip=False), [NOISE_0, STRIDE]),
    ],
)
def test_foreign_files_are_recognised_by_keys_and_shapes(
    network: EnResNet, name: str, options: dict[str, Any], notes: list[str], call: Any, tmp_path: Path
) -> None:
    path = tmp_path / "a.pth"
    torch.save({"net": {f"basic_net.{key}": value for key, value in network.state_dict().items()}, "epoch": 7}, path)
    value, handles = call("checkpoint.inspect", {"path": str(path)})
    assert handles == []
    assert value["architecture"] == {"name": name, "options": options}
    assert (value["format"], value["layout"]) == ("torch", "state_dict under `net`, prefix `basic_net.`")
    assert value["metadata"] == {"epoch": 7, "notes": notes}
    assert value["keys"][0] == [
        "basic_net.ensemble.0.conv1.weight",
        "float32",
        [options["width"], options["channels"], 3, 3],
    ]
    assert len(value["keys"]) == len(network.state_dict())
    value, (module,) = call("checkpoint.load", {"path": str(path)})
    assert (value["name"], value["options"]) == (name, {**options, "noise_std": "tensor"})
    assert value["metadata"] == {"epoch": 7, "notes": notes}
    assert value["layout"] == "state_dict under `net`, prefix `basic_net.`"
    assert equal(module.state_dict(), network.state_dict())
    x = torch.rand(2, options["channels"], 8, 8)
    torch.testing.assert_close(module.eval()(x, noise=False), network.eval()(x, noise=False))


def equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return list(a) == list(b) and all(torch.equal(a[key], b[key]) for key in a)


def test_options_win_and_are_then_no_assumption(call: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save(EnResNet(8, 2, width=4).state_dict(), path)
    given = {"noise": 0.2, "stem_stride": 2, "noise_std": "sample"}
    value, (module,) = call("checkpoint.load", {"path": str(path), "options": given})
    assert value["metadata"]["notes"] == []
    assert (module.noise, module.stem_stride, module.noise_std, module.members) == (0.2, 2, "sample", 2)


def test_a_name_that_agrees_or_changes_only_the_noise(call: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save(EnResNet(8, width=4, classes=3).state_dict(), path)
    value, _ = call("checkpoint.load", {"path": str(path), "name": "resnet8"})
    assert value["architecture"] == "ResNet8"
    value, _ = call("checkpoint.load", {"path": str(path), "name": "enresnet8"})
    assert (value["architecture"], value["options"]["noise"], value["options"]["classes"]) == ("En1ResNet8", 0.1, 3)
    assert value["metadata"]["notes"][0] == NOISE_1


def test_missing_batch_counters_are_tolerated(call: Any, tmp_path: Path) -> None:
    network = EnResNet(8, width=4)
    state = {k: v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
    torch.save(state, tmp_path / "a.pth")
    value, (module,) = call("checkpoint.load", {"path": str(tmp_path / "a.pth")})
    assert value["metadata"]["notes"][-1] == "7 `num_batches_tracked` entries are missing: they start at 0."
    assert equal(module.state_dict(), network.state_dict())


def test_plain_keys_of_a_single_network(call: Any, tmp_path: Path) -> None:
    network = EnResNet(8, width=4)
    torch.save({k.removeprefix("ensemble.0."): v for k, v in network.state_dict().items()}, tmp_path / "a.pth")
    value, (module,) = call("checkpoint.load", {"path": str(tmp_path / "a.pth")})
    assert value["architecture"] == "ResNet8"
    assert equal(module.state_dict(), network.state_dict())


def test_half_and_double_weights_are_converted_with_a_note(call: Any, tmp_path: Path) -> None:
    network = EnResNet(8, width=4).double()
    torch.save(network.state_dict(), tmp_path / "a.pth")
    value, (module,) = call("checkpoint.load", {"path": str(tmp_path / "a.pth")})
    assert value["metadata"]["notes"][-1] == "Weights stored as float64 were converted to the network's dtypes."
    assert equal(module.state_dict(), network.float().state_dict())


def without(state: dict[str, Tensor], key: str) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in state.items() if name != key}


def test_a_wrong_network_is_named_by_its_first_difference(call: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    single, ensemble = EnResNet(20, width=4).state_dict(), EnResNet(20, 2, width=4).state_dict()
    shape = {**single, "ensemble.0.layer2.0.bn2.bias": torch.zeros(9)}
    integers = {**single, "ensemble.0.bn.weight": torch.ones(16, dtype=torch.int64)}
    lost = "ensemble.0.layer3.2.conv2.weight"
    cases: list[tuple[dict[str, Tensor], dict[str, Any], str]] = [
        (
            single,
            {"name": "resnet38"},
            "the weights of ResNet38 with `ensemble.0.layer1.3.bn1.weight` as float32[4], got no such key",
        ),
        (
            single,
            {"name": "resnet8"},
            "the weights of ResNet8, got the unexpected key `ensemble.0.layer1.1.bn1.weight` (float32[4])",
        ),
        (
            ensemble,
            {"name": "resnet20"},
            "the weights of ResNet20, got the unexpected key `ensemble.1.conv1.weight` (float32[4, 3, 3, 3])",
        ),
        (
            single,
            {"options": {"members": 2, "noise": 0.1}},
            "the weights of En2ResNet20 with `ensemble.1.conv1.weight` as float32[4, 3, 3, 3], got no such key",
        ),
        (
            single,
            {"options": {"classes": 100}},
            "the weights of ResNet20 with `ensemble.0.fc.weight` as float32[100, 16], got float32[10, 16]",
        ),
        (shape, {}, "the weights of ResNet20 with `ensemble.0.layer2.0.bn2.bias` as float32[8], got float32[9]"),
        (integers, {}, "the weights of ResNet20 with `ensemble.0.bn.weight` as float32[16], got int64[16]"),
        (without(single, lost), {}, f"the weights of ResNet20 with `{lost}` as float32[16, 16, 3, 3], got no such key"),
        ({**single, "mask": torch.ones(1)}, {}, "the weights of ResNet20, got the unexpected key `mask` (float32[1])"),
    ]
    for state, params, sentence in cases:
        torch.save(state, path)
        with pytest.raises(ServiceError) as caught:
            call("checkpoint.load", {"path": str(path), **params})
        assert str(caught.value) == f"Expected `{path}` to hold {sentence}"


def test_a_file_of_another_network(call: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save(torch.nn.Linear(2, 3).state_dict(), path)
    assert call("checkpoint.inspect", {"path": str(path)})[0]["architecture"] is None
    with pytest.raises(ServiceError) as caught:
        call("checkpoint.load", {"path": str(path)})
    assert str(caught.value) == (
        f"Expected `{path}` to hold a ResNet or EnResNet, got keys such as `weight`, `bias` "
        "(pass `name`, `--name` on the command line, to say which network it is, or `model`, `--model`, for one "
        "of your own)"
    )
    with pytest.raises(ServiceError, match=r"the weights of ResNet8 with `ensemble.0.conv1.weight` as float32"):
        call("checkpoint.load", {"path": str(path), "name": "resnet8"})


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"name": "vgg"}, "Expected `name` to be a known network (resnet8, "),
        ({"name": 3}, "Expected `name` to be the name of a network, got `3` (int)"),
        ({"options": {"depth": 8}}, "Expected the options of `resnet8` to be among members, "),
        ({"options": [1]}, "Expected `options` to be a map, got `[1]` (list)"),
    ],
)
def test_bad_arguments(params: dict[str, Any], sentence: str, call: Any, tmp_path: Path) -> None:
    torch.save(EnResNet(8).state_dict(), tmp_path / "a.pth")
    with pytest.raises(ServiceError) as caught:
        call("checkpoint.load", {"path": str(tmp_path / "a.pth"), **params})
    assert str(caught.value).startswith(sentence)


def test_headers_that_pretend_to_be_ours_are_checked(call: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    state = EnResNet(8).state_dict()
    for header, sentence in [
        ({"feynkac": "0"}, "the header `options` of `{}` to be a JSON object, got nothing"),
        (
            {"feynkac": "0", "options": "[1]", "metadata": "{}"},
            "the header `options` of `{}` to be a JSON object, got `[1]`",
        ),
        (
            {"feynkac": "0", "options": "{}", "metadata": "{"},
            "the header `metadata` of `{}` to be a JSON object, got `{{`",
        ),
    ]:
        path.write_bytes(safetensors.torch.save(state, {"feynkac": "0", **header}))
        with pytest.raises(ServiceError) as caught:
            call("checkpoint.load", {"path": str(path)})
        assert str(caught.value) == "Expected " + sentence.format(path)


def test_model_create_gives_a_seeded_network_in_channels_last(call: Any) -> None:
    params = {"name": "enresnet8", "options": {"members": 2, "width": 4}, "seed": 5}
    value, (module,) = call("model.create", params)
    assert (value["architecture"], value["members"]) == ("En2ResNet8", 2)
    assert equal(module.state_dict(), build("enresnet8", {"members": 2, "width": 4}, seed=5).state_dict())
    assert module.ensemble[0].layer1[0].conv1.weight.is_contiguous(memory_format=torch.channels_last)
    for seed in (-1, 0.5, "1"):
        with pytest.raises(ServiceError, match=r"Expected `seed` to be an integer in \[0, 2\^63\)"):
            call("model.create", {**params, "seed": seed})
    with pytest.raises(ServiceError, match=r"Expected input handles of the kinds"):
        call("model.create", params, [module])
