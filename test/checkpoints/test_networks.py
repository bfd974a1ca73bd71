"""Whole pickled networks of the published scripts (papers.md section 9, shape (a)), and quantised weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from published_files import Python2, published
from torch import Tensor, nn

from feynkac_worker.checkpoints.read import read_checkpoint
from feynkac_worker.errors import ServiceError
from feynkac_worker.models.enresnet import EnResNet


def older(content: Any, path: Path) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False)


SAVES = pytest.mark.parametrize("save", [torch.save, older], ids=["zip", "older"])
CLASS = "Ensemble_PreAct_ResNet_Cifar"


def randomised(network: nn.Module) -> nn.Module:
    """Running statistics and counters that are not those of a new network."""
    for buffer in network.buffers():
        buffer.copy_(torch.randint(1, 9, buffer.shape))
    return network.eval()


def equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return list(a) == list(b) and all(torch.equal(a[key], b[key]) for key in a)


@SAVES
@pytest.mark.parametrize("module", ["resnet_cifar", "models.preact_resnet", "some.package"])
@pytest.mark.parametrize("members", [1, 2])
def test_whole_ensembles(members: int, module: str, save: Callable[..., None], call: Any, tmp_path: Path) -> None:
    noise = 0.1 if members > 1 else 0
    with published(module, tmp_path) as code:
        network = randomised(code.Ensemble_PreAct_ResNet_Cifar(2, members, noise))
        save({"net": network, "acc": np.float64(47.5), "epoch": 7, "param": [1, 0.1, 1e-5]}, tmp_path / "a.t7")
    value, (found,) = call("checkpoint.load", {"path": str(tmp_path / "a.t7")})
    assert equal(found.state_dict(), network.state_dict())
    assert value["layout"] == f"whole network `{module}.{CLASS}` under `net`"
    assert value["metadata"] == {"acc": 47.5, "epoch": 7, "param": [1, 0.1, 1e-5], "notes": []}
    assert value["architecture"] == ("En2ResNet14" if members > 1 else "ResNet14")
    assert value["options"]["noise"] == noise
    inspected, _ = call("checkpoint.inspect", {"path": str(tmp_path / "a.t7")})
    assert inspected["architecture"]["options"] == {k: v for k, v in value["options"].items() if k != "noise_std"}
    assert len(inspected["keys"]) == len(network.state_dict())


@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
@SAVES
def test_the_main_script_as_module(save: Callable[..., None], call: Any, tmp_path: Path) -> None:
    with published("resnet_cifar", tmp_path) as code:
        for kind in (code.Ensemble_PreAct_ResNet_Cifar, code.PreAct_ResNet_Cifar, code.PreActBasicBlock):
            kind.__module__ = "__main__"
            setattr(__import__("__main__"), kind.__name__, kind)
        try:
            network = code.Ensemble_PreAct_ResNet_Cifar(stride=2, noise_coef=None)
            save(network, tmp_path / "bare.t7")
        finally:
            for name in (CLASS, "PreAct_ResNet_Cifar", "PreActBasicBlock"):
                delattr(__import__("__main__"), name)
    value, (found,) = call("checkpoint.load", {"path": str(tmp_path / "bare.t7")})
    assert equal(found.state_dict(), network.state_dict())
    assert value["layout"] == f"whole network `__main__.{CLASS}`"
    assert (value["architecture"], value["options"]["stem_stride"], value["metadata"]["notes"]) == ("ResNet8", 2, [])


@SAVES
def test_wrapped_networks(save: Callable[..., None], call: Any, tmp_path: Path) -> None:
    with published("main", tmp_path) as code:
        network = code.Ensemble_PreAct_ResNet_Cifar(1, 2, 0.25)
        wrapped = nn.DataParallel(code.AttackPGD(network))
        save({"net": wrapped, "optimizer": {"lr": 0.1}, "loss": nn.CrossEntropyLoss()}, tmp_path / "a.pth")
        save({"net": code.PreAct_ResNet_Cifar(1, 4, 1, 0.5)}, tmp_path / "member.pth")
    value, (found,) = call("checkpoint.load", {"path": str(tmp_path / "a.pth")})
    assert equal(found.state_dict(), network.state_dict())
    assert value["options"]["noise"] == 0.25
    assert value["metadata"]["loss"] == "torch.nn.modules.loss.CrossEntropyLoss"
    assert read_checkpoint(str(tmp_path / "a.pth")).prefix == "module.basic_net."
    value, _ = call("checkpoint.load", {"path": str(tmp_path / "member.pth")})
    assert (value["architecture"], value["options"]["noise"]) == ("En1ResNet8", 0.5)
    value, _ = call("checkpoint.load", {"path": str(tmp_path / "member.pth"), "options": {"noise": 0}})
    assert value["architecture"] == "ResNet8"


@pytest.mark.parametrize("cuda", [True, False], ids=["cuda", "cpu"])
@pytest.mark.parametrize("rebuild", ["_rebuild_tensor", "_rebuild_tensor_v2"])
def test_pickles_of_python_2(rebuild: str, cuda: bool, call: Any, tmp_path: Path) -> None:
    with published("__main__x", tmp_path) as code:
        network = randomised(code.Ensemble_PreAct_ResNet_Cifar(1, 2, 0.1))
        content = {"net": network, "acc": torch.tensor([47]), "epoch": 199, "note": b"caf\xe9"}
        (tmp_path / "a.t7").write_bytes(Python2(cuda, rebuild).file(content))
    value, (found,) = call("checkpoint.load", {"path": str(tmp_path / "a.t7")})
    assert equal(found.state_dict(), network.state_dict())
    assert value["metadata"] == {"acc": 47, "epoch": 199, "note": "café", "notes": []}
    assert all(parameter.device.type == "cpu" for parameter in found.parameters())


def test_blocks_that_disagree_about_the_noise(tmp_path: Path) -> None:
    with published("main", tmp_path) as code:
        network = code.Ensemble_PreAct_ResNet_Cifar(1, 1, 0.1)
        network.ensemble[0].layer2[0].noise_coef = 0.5
        torch.save(network, tmp_path / "a.pth")
    with pytest.raises(ServiceError, match=r"got blocks with different `noise_coef` \(0.1, 0.5\)$"):
        read_checkpoint(str(tmp_path / "a.pth"))


@SAVES
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "state_dict"])
def test_quantised_weights_take_the_place_of_the_float_ones(
    whole: bool, save: Callable[..., None], call: Any, tmp_path: Path
) -> None:
    with published("resnet_cifar", tmp_path) as code:
        network = code.Ensemble_PreAct_ResNet_Cifar(3, 1, 0.1)
        names = [name for name, _ in network.named_parameters() if "conv" in name and "weight" in name]
        kernels = [parameter.detach().sign() / 8 for name, parameter in network.named_parameters() if name in names]
        net = network if whole else network.state_dict()
        save({"net": net, "acc": 1.0, "G_kernels": kernels, "loss_train": [0.5] * 40}, tmp_path / "a.t7")
    value, (found,) = call("checkpoint.load", {"path": str(tmp_path / "a.t7")})
    state = found.state_dict()
    assert (len(kernels), value["architecture"][-8:]) == (19, "ResNet20")
    assert all(torch.equal(state[name], kernel) for name, kernel in zip(names, kernels, strict=True))
    rest = set(state) - set(names)
    assert all(torch.equal(state[name], network.state_dict()[name]) for name in rest)
    assert any("downsample" in name for name in rest)
    note = "The network has the 19 quantised weights under `G_kernels` in place of the float ones."
    assert value["metadata"]["notes"][-1] == note
    assert call("checkpoint.inspect", {"path": str(tmp_path / "a.t7")})[0]["metadata"]["notes"][-1] == note


def test_quantised_weights_that_do_not_fit(call: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.t7"
    state = EnResNet(8, width=4).state_dict()
    good = [tensor for name, tensor in state.items() if "conv" in name]
    first = "`ensemble.0.layer1.0.conv1.weight`"
    cases: list[tuple[Any, str]] = [
        (good[1:], "`G_kernels` of `{}` to be a list of 7 tensors, one for each convolution of the network, got 6"),
        ([], "`G_kernels` of `{}` to be a list of 7 tensors, one for each convolution of the network, got 0"),
        ("no", "`G_kernels` of `{}` to be a list of 7 tensors, one for each convolution of the network, got a str"),
        (
            [good[0], good[1].flatten(), *good[2:]],
            f"`G_kernels[1]` of `{{}}` to be float32[4, 4, 3, 3] like {first}, got float32[144]",
        ),
        (
            [good[0], good[1].long(), *good[2:]],
            f"`G_kernels[1]` of `{{}}` to be float32[4, 4, 3, 3] like {first}, got int64[4, 4, 3, 3]",
        ),
        ([good[0], 3, *good[2:]], f"`G_kernels[1]` of `{{}}` to be float32[4, 4, 3, 3] like {first}, got a int"),
    ]
    for kernels, sentence in cases:
        torch.save({"net": state, "G_kernels": kernels}, path)
        with pytest.raises(ServiceError) as caught:
            call("checkpoint.load", {"path": str(path)})
        assert str(caught.value) == "Expected " + sentence.format(path)
