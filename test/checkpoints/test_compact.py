"""Checkpoints of narrowed networks: our loader, plain PyTorch, networks of the user, and hostile headers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

import feynkac_worker.tracing.services  # noqa: F401  registers model.narrow
from feynkac_worker.checkpoints.header import encode_safetensors
from feynkac_worker.errors import ServiceError
from feynkac_worker.models import build
from feynkac_worker.models.narrow import widths_of

OPTIONS = {"members": 2, "width": 4, "noise": 0.25, "channels": 1, "stem_stride": 2}
BLOCK = "ensemble.1.layer2.0."
LAYERS = {
    **{BLOCK + "bn1": {"out": [1, 3], "select": True}, BLOCK + "conv1": {"in": [1, 3], "out": [0, 5, 6]}},
    **{BLOCK + "bn2": {"out": [0, 5, 6]}, BLOCK + "conv2": {"in": [0, 5, 6]}, BLOCK + "downsample.0": {"in": [1, 3]}},
    **{f"ensemble.0.layer1.0.{name}": {"zero": True} for name in ("bn1", "conv1", "bn2", "conv2")},
}
WIDTHS = {"version": 1, "layers": LAYERS, "then": {"version": 1, "layers": {BLOCK + "conv1": {"in": [0]}}}}
WIDTHS["then"]["layers"][BLOCK + "conv1"]["select"] = True
MODELS = Path(__file__).parents[2] / "py" / "feynkac_worker" / "models"


def logits(module: nn.Module) -> Tensor:
    x = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return module.eval()(x, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def saved(call: Any, tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Path, nn.Module]:
    """The file of a narrowed network, in the format that the test's parameter names, and the network."""
    dense = build("enresnet8", OPTIONS, seed=1)
    value, (small,) = call("model.narrow", {"widths": WIDTHS}, [dense])
    assert value["widths"] == WIDTHS and value["trainable"] < sum(p.numel() for p in dense.parameters())
    file_format = getattr(request, "param", "safetensors")
    path = tmp_path / f"small.{file_format}"
    call("checkpoint.save", {"path": str(path), "format": file_format, "metadata": {"note": 1}}, [small])
    return path, small


@pytest.mark.parametrize("saved", ["safetensors", "pt"], indirect=True)
def test_round_trip(saved: tuple[Path, nn.Module], call: Any) -> None:
    path, small = saved
    value, (module,) = call("checkpoint.load", {"path": str(path)})
    assert value["widths"] == WIDTHS == widths_of(module)
    assert (value["name"], value["options"]["noise"]) == ("enresnet8", 0.25)
    assert "widths" not in value["metadata"] and value["metadata"]["notes"] == []
    assert torch.equal(logits(module), logits(small))
    layouts = [p.is_contiguous(memory_format=torch.channels_last) for p in small.parameters() if p.dim() == 4]
    assert [p.is_contiguous(memory_format=torch.channels_last) for p in module.parameters() if p.dim() == 4] == layouts
    assert not any(t.is_meta for t in [*module.parameters(), *module.buffers()])
    inspected, _ = call("checkpoint.inspect", {"path": str(path)})
    assert inspected["widths"] == WIDTHS
    # Again, and with other options: the widths go along.
    again = str(path.with_suffix(".again"))
    call("checkpoint.save", {"path": again, "format": "pt", "metadata": {}}, [module])
    value, (quiet,) = call("checkpoint.load", {"path": again, "options": {"noise": 0}})
    assert value["widths"] == WIDTHS and quiet.noise == 0


SCRIPT = """
import json, sys, zipfile
import safetensors, safetensors.torch, torch
from enresnet import EnResNet
from narrow import narrow

torch.set_num_threads(1)
found = {}
with safetensors.safe_open("small.safetensors", "pt") as file:
    found["safetensors"] = file.metadata(), safetensors.torch.load_file("small.safetensors")
record = zipfile.ZipFile("small.pt").read("archive/feynkac.json")
found["pt"] = json.loads(record), torch.load("small.pt", weights_only=True)
logits = {}
for name, (header, weights) in found.items():
    net = EnResNet(8, **json.loads(header["options"]))
    net = narrow(net, json.loads(header["widths"]))
    net.load_state_dict(weights)
    x = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        logits[name] = net.eval()(x, generator=torch.Generator().manual_seed(2))
safetensors.torch.save_file(logits, "logits.safetensors")
assert not [name for name in sys.modules if "feynkac" in name]
"""


def test_plain_pytorch_reads_it_with_two_files_of_ours(saved: tuple[Path, nn.Module], call: Any) -> None:
    path, small = saved
    call("checkpoint.save", {"path": str(path.with_suffix(".pt")), "format": "pt", "metadata": {}}, [small])
    for name in ("enresnet.py", "narrow.py"):
        shutil.copy(MODELS / name, path.parent / name)
    (path.parent / "script.py").write_text(SCRIPT)
    ran = subprocess.run(
        [sys.executable, "script.py"], cwd=path.parent, env={"PATH": ""}, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    # The network of the script is not channels-last, which may add the sums up in another order.
    for found in load_file(path.parent / "logits.safetensors").values():
        assert torch.allclose(found, logits(small), rtol=1e-4, atol=1e-6)


def test_a_network_of_the_user(call: Any, tmp_path: Path) -> None:
    def make() -> nn.Module:
        return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))

    widths = {
        "version": 1,
        "layers": {"0": {"out": [1, 2]}, "1": {"out": [1, 2]}, "4": {"in": list(range(4, 12))}},
    }
    _, (small,) = call("model.narrow", {"widths": widths}, [make()])
    path = tmp_path / "user.safetensors"
    call("checkpoint.save", {"path": str(path), "format": "safetensors", "metadata": {}}, [small])
    fresh = make()
    value, (module,) = call("checkpoint.load", {"path": str(path)}, [fresh])
    x = torch.rand(3, 1, 4, 4)
    assert value["widths"] == widths and torch.equal(module.eval()(x), small.eval()(x))
    assert fresh[0].out_channels == 4
    # Into one that is as small already.
    _, (again,) = call("checkpoint.load", {"path": str(path)}, [small])
    assert torch.equal(again.eval()(x), small(x))
    with pytest.raises(ServiceError) as caught:
        call("checkpoint.load", {"path": str(path)}, [nn.Sequential(nn.Conv2d(1, 2, 3))])
    assert str(caught.value) == (
        "Expected `out` of `0` to be a list of ascending integers below 2, at least one, got 2 entries "
        f"(the header `widths` of `{path}`, network Sequential)"
    )


def forged(path: Path, **changes: Any) -> None:
    """The file again, with another header."""
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    changed = {key: value if isinstance(value, str) else json.dumps(value) for key, value in changes.items()}
    path.write_bytes(encode_safetensors(load_file(path), {**header, **changed}))


def refusal(call: Any, path: Path) -> str:
    start = time.monotonic()
    with pytest.raises(ServiceError) as caught:
        call("checkpoint.load", {"path": str(path)})
    assert time.monotonic() - start < 10
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600
    return str(caught.value)


def with_layer(name: str, entry: Any) -> dict[str, Any]:
    return {**WIDTHS, "layers": {**LAYERS, name: entry}}


HOSTILE = {
    "no map": ({"widths": "[1]"}, "Expected the header `widths` of"),
    "no JSON": ({"widths": "{"}, "Expected the header `widths` of"),
    "depth": ({"widths": "[" * 100_000}, "Expected the header `widths` of"),
    "empty": ({"widths": {}}, "Expected `widths` to be a map with `version` 1 and a map `layers` (the header"),
    "unknown": ({"widths": with_layer("ensemble.7.conv1", {})}, "Expected `ensemble.7.conv1` to be a Conv2d, Batch"),
    "attribute": ({"widths": with_layer("ensemble.0.forward", {})}, "Expected `ensemble.0.forward` to be a Conv2d"),
    "network": (
        {"widths": with_layer("ensemble.0", {})},
        "Expected `ensemble.0` to be a Conv2d, BatchNorm2d or Linear",
    ),
    "index": ({"widths": with_layer(BLOCK + "conv2", {"in": [0, 5, 2**40]})}, f"Expected `in` of `{BLOCK}conv2` to be"),
    "negative": ({"widths": with_layer(BLOCK + "conv2", {"in": [-1, 5, 6]})}, f"Expected `in` of `{BLOCK}conv2` to be"),
    "size": ({"widths": with_layer(BLOCK + "conv2", {"in": [0, 5]})}, "Expected `"),
    "kept": ({"widths": {"version": 1, "layers": {}}}, "Expected `"),
    # Networks that fit the tensors of the file once narrowed, but not any machine before.
    "members": ({"options": {**OPTIONS, "members": 10**9}}, "Expected `"),
    "width": (
        {
            "options": {**OPTIONS, "width": 2**24},
            "widths": with_layer("ensemble.0.conv1", {"out": [0, 1, 2, 3]}),
        },
        "Expected `",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_headers(name: str, saved: tuple[Path, nn.Module], call: Any) -> None:
    path, _ = saved
    changes, expected = HOSTILE[name]
    forged(path, **changes)
    assert refusal(call, path).startswith(expected)


def test_a_small_file_of_a_network_too_large_for_any_machine(call: Any, tmp_path: Path) -> None:
    """It is built as small as it is, never at its full size first."""
    with torch.device("meta"):
        huge = build("resnet8", {"width": 2**20, "channels": 1})
    one = {"in": [0], "out": [0]}
    layers: dict[str, Any] = {}
    for name, module in huge.named_modules():
        if isinstance(module, nn.Conv2d):
            layers[name] = {"out": [0]} if name == "ensemble.0.conv1" else one
        elif isinstance(module, nn.BatchNorm2d):
            layers[name] = {"out": [0]}
    layers["ensemble.0.fc"] = {"in": [0]}
    value, (small,) = call("model.narrow", {"widths": {"version": 1, "layers": layers}}, [huge])
    path = tmp_path / "tiny.safetensors"
    small = small.to_empty(device="cpu")
    for tensor in small.state_dict().values():
        tensor.fill_(1)
    call("checkpoint.save", {"path": str(path), "format": "safetensors", "metadata": {}}, [small])
    assert path.stat().st_size < 50_000
    loaded, (module,) = call("checkpoint.load", {"path": str(path)})
    assert loaded["widths"] == value["widths"] and sum(p.numel() for p in module.parameters()) < 1000
    assert module.eval()(torch.rand(1, 1, 8, 8)).isfinite().all()
