"""Checkpoints in the layouts of papers.md section 9, written as the authors' scripts and torch versions wrote them."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor

from feynkac_worker.checkpoints.architecture import network_state
from feynkac_worker.checkpoints.read import CONTAINER_KEYS, read_checkpoint
from feynkac_worker.errors import ServiceError
from feynkac_worker.models.enresnet import EnResNet

State = dict[str, Tensor]


def state_of(depth: int = 8, members: int = 1, prefix: str = "") -> State:
    state = EnResNet(depth, members, width=4).state_dict()
    return OrderedDict((prefix + name, tensor) for name, tensor in state.items())


def legacy(content: Any, path: Path) -> None:
    """The container before torch 1.6: not a zip file."""
    torch.save(content, path, _use_new_zipfile_serialization=False)


def same(a: State, b: State) -> bool:
    return list(a) == list(b) and all(torch.equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize("save", [torch.save, legacy], ids=["zip", "legacy"])
def test_state_dict_under_net_with_the_attack_wrapper_as_prefix(save: Callable[..., None], tmp_path: Path) -> None:
    """Shape (b), like `ckpt_normal.pth`."""
    state = state_of(20, prefix="basic_net.")
    save({"net": state, "acc": torch.tensor(47), "epoch": 120}, tmp_path / "a.pth")
    found = read_checkpoint(str(tmp_path / "a.pth"))
    assert (found.format, found.container, found.prefix) == ("torch", "net", "basic_net.")
    assert found.layout == "state_dict under `net`, prefix `basic_net.`"
    assert found.metadata == {"acc": 47, "epoch": 120}
    assert len(found.tensors) == 118
    assert list(network_state(found)) == list(EnResNet(20).state_dict())
    assert torch.equal(found.state["ensemble.0.conv1.weight"], state["basic_net.ensemble.0.conv1.weight"])


@pytest.mark.parametrize("save", [torch.save, legacy], ids=["zip", "legacy"])
@pytest.mark.parametrize("prefix", ["basic_net.", "module.basic_net.", "basic_net.module.", "module.", ""])
def test_bare_state_dict(prefix: str, save: Callable[..., None], tmp_path: Path) -> None:
    """Shapes (c) and (d), like `net_enresnet_normal.pth` and `net_rgsm.pth`."""
    state = state_of(20, 2, prefix)
    save(state, tmp_path / "a.pth")
    found = read_checkpoint(str(tmp_path / "a.pth"))
    assert (found.container, found.prefix) == (None, prefix)
    assert found.layout == ("bare state_dict" if not prefix else f"bare state_dict, prefix `{prefix}`")
    assert len(found.tensors) == 236
    assert same(found.tensors, state)
    assert list(network_state(found)) == list(EnResNet(20, 2).state_dict())


@pytest.mark.parametrize("key", CONTAINER_KEYS)
def test_containers(key: str, tmp_path: Path) -> None:
    torch.save({"epoch": 3, key: state_of(), "param": [1, 0.1, 1e-5]}, tmp_path / "a.pt")
    found = read_checkpoint(str(tmp_path / "a.pt"))
    assert found.container == key
    assert found.metadata == {"epoch": 3, "param": [1, 0.1, 1e-5]}


@pytest.mark.parametrize("save", [torch.save, legacy], ids=["zip", "legacy"])
def test_numpy_numbers_beside_the_weights(save: Callable[..., None], tmp_path: Path) -> None:
    numbers = {"a": np.float64(47.5), "b": np.int64(3), "c": np.float32(0.5), "d": np.bool_(True)}
    save({"net": state_of(), **numbers}, tmp_path / "a.pth")
    assert read_checkpoint(str(tmp_path / "a.pth")).metadata == {"a": 47.5, "b": 3, "c": 0.5, "d": True}


def test_numpy_numbers_under_the_name_of_numpy_1(tmp_path: Path) -> None:
    legacy({"net": state_of(), "acc": np.float64(47.5)}, tmp_path / "new.pth")
    data = (tmp_path / "new.pth").read_bytes()
    renamed = data.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    (tmp_path / "old.pth").write_bytes(renamed)
    assert b"numpy.core.multiarray" in renamed
    assert read_checkpoint(str(tmp_path / "old.pth")).metadata == {"acc": 47.5}


def test_other_things_beside_the_weights_are_described(tmp_path: Path) -> None:
    extra = {"optimizer": {"lr": 0.1}, "mask": torch.ones(2, 3), "big": 2**40, "bad": float("nan"), "none": None}
    torch.save({"net": state_of(), **extra}, tmp_path / "a.pth")
    assert read_checkpoint(str(tmp_path / "a.pth")).metadata == {
        "optimizer": "dict",
        "mask": "tensor float32[2, 3]",
        "big": str(2**40),
        "bad": "nan",
        "none": None,
    }


def test_safetensors_with_and_without_the_usual_ending(tmp_path: Path) -> None:
    state = state_of(prefix="module.")
    data = safetensors.torch.save(state, {"origin": "elsewhere"})
    for name in ("a.safetensors", "a.bin"):
        (tmp_path / name).write_bytes(data)
        found = read_checkpoint(str(tmp_path / name))
        assert (found.format, found.container, found.prefix) == ("safetensors", None, "module.")
        assert found.metadata == {"origin": "elsewhere"}
        assert all(torch.equal(found.tensors[key], state[key]) for key in state)


def test_a_single_network_saved_without_its_ensemble(tmp_path: Path) -> None:
    plain = {name.removeprefix("ensemble.0."): tensor for name, tensor in state_of().items()}
    torch.save(plain, tmp_path / "a.pt")
    assert list(network_state(read_checkpoint(str(tmp_path / "a.pt")))) == list(EnResNet(8).state_dict())


class Shell:
    """A pickle that would run a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (self.command,)


@pytest.mark.parametrize("save", [torch.save, legacy], ids=["zip", "legacy"])
def test_code_in_a_pickle_is_not_run(save: Callable[..., None], tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    save({"net": state_of(), "acc": Shell(f"touch {marker}")}, tmp_path / "a.pth")
    with pytest.raises(ServiceError, match=r"got a pickled Python object \(`posix.system`\)"):
        read_checkpoint(str(tmp_path / "a.pth"))
    assert not marker.exists()


@pytest.mark.parametrize("save", [torch.save, legacy], ids=["zip", "legacy"])
def test_whole_modules_of_other_code_are_refused_with_what_to_do(save: Callable[..., None], tmp_path: Path) -> None:
    save({"net": EnResNet(8), "acc": 1, "epoch": 2}, tmp_path / "a.t7")
    with pytest.raises(ServiceError) as caught:
        read_checkpoint(str(tmp_path / "a.t7"))
    assert str(caught.value) == (
        f"Expected `{tmp_path / 'a.t7'}` to hold tensors, numbers and networks of the published code, got a pickled "
        "Python object (`feynkac_worker.models.enresnet.EnResNet`), which is not loaded: "
        "save `net.state_dict()` with the code that made it"
    )


def damaged(data: bytes) -> dict[str, bytes]:
    noise = np.random.default_rng(0).bytes(1000)
    return {
        "empty": b"",
        "text": b"not a checkpoint\n" * 50,
        "half": data[: len(data) // 2],
        "start": data[:100],
        "shortened by one byte": data[:-1],
        "random": noise,
        "random zip": b"PK\x03\x04" + noise,
        "random pickle": b"\x80\x02" + noise,
    }


@pytest.mark.parametrize("kind", list(damaged(b"")))
@pytest.mark.parametrize("save", [torch.save, legacy], ids=["zip", "legacy"])
def test_damaged_torch_files(save: Callable[..., None], kind: str, tmp_path: Path) -> None:
    save(state_of(), tmp_path / "whole.pth")
    data = damaged((tmp_path / "whole.pth").read_bytes())[kind]
    path = tmp_path / "bad.pth"
    path.write_bytes(data)
    with pytest.raises(ServiceError) as caught:
        read_checkpoint(str(path))
    assert str(caught.value) == (
        f"Expected `{path}` to be a torch or safetensors file, got a damaged file or another kind of file "
        f"({len(data)} bytes)"
    )


@pytest.mark.parametrize("kind", [kind for kind in damaged(b"") if kind != "text"])
def test_damaged_safetensors(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(damaged(safetensors.torch.save(state_of()))[kind])
    with pytest.raises(ServiceError, match=r"to be a safetensors file, got a damaged one \("):
        read_checkpoint(str(path))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"weights": {"a": 1}, "epoch": 3}, "got the keys `weights`, `epoch`"),
        ({}, "got the keys none"),
        ([torch.ones(2)], "to hold a state_dict, got a pickled list"),
        (torch.ones(2), "to hold a state_dict, got a pickled Tensor"),
        ({"net": {"w": torch.ones(2).to_sparse()}}, "got the keys `net`"),
    ],
)
def test_files_without_a_state_dict(content: Any, sentence: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(ServiceError) as caught:
        read_checkpoint(str(tmp_path / "a.pt"))
    assert sentence in str(caught.value)


def test_paths_that_are_no_readable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases: list[tuple[Any, str]] = [
        (3, "Expected `path` to be an absolute path, got `3` (int)"),
        (None, "Expected `path` to be an absolute path, got `None` (NoneType)"),
        ("a.pt", "Expected `path` to be an absolute path, got `'a.pt'` (str)"),
        ("/a\0b", "Expected `path` to be an absolute path, got `'/a\\x00b'` (str)"),
        (str(tmp_path), f"Expected `path` to be a checkpoint file, got the folder `{tmp_path}`"),
        (
            str(tmp_path / "no"),
            f"Expected `path` to be an existing file, got `{tmp_path / 'no'}`, which does not exist",
        ),
        (os.devnull, f"Expected `path` to be an ordinary file, got `{os.devnull}`"),
    ]
    for path, sentence in cases:
        with pytest.raises(ServiceError) as caught:
            read_checkpoint(path)
        assert str(caught.value) == sentence
    # Permission bits do not stop the superuser, so the refusal is injected.
    torch.save(state_of(), tmp_path / "a.pt")

    def denied(*_args: Any, **_options: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(ServiceError) as caught:
        read_checkpoint(str(tmp_path / "a.pt"))
    assert str(caught.value) == f"Expected `path` to be a readable file, got `{tmp_path / 'a.pt'}`: permission denied"
