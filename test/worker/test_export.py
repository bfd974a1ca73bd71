"""`model.export` and `model.latency`: what the file says, what is refused, and that the network stays as it was."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from torch import Tensor, nn

from feynkac_worker.errors import ServiceError
from feynkac_worker.handles import Handles
from feynkac_worker.latency import model_latency
from feynkac_worker.models import build
from feynkac_worker.models.narrow import narrow
from feynkac_worker.onnx_export import REQUIREMENTS, model_export
from feynkac_worker.services import Context

CONTEXT = Context(torch.device("cpu"), Handles(100))
SMALL = {"width": 4, "stem_stride": 2}


def export(file: Path, module: nn.Module, **changed: Any) -> dict[str, Any]:
    params = {"path": str(file), "shape": [3, 8, 8], "batch": None, **changed}
    value: dict[str, Any] = model_export(CONTEXT, params, [module])[0]
    return value


def test_the_file_says_that_the_noise_is_off_and_nothing_about_this_machine(tmp_path: Path) -> None:
    net = build("enresnet8", SMALL).train()
    path = tmp_path / "net.onnx"
    assert export(path, net)["noise"].startswith("off: the network draws noise of coefficient 0.1")
    assert net.training and next(net.parameters()).requires_grad
    model = onnx.load(str(path))
    onnx.checker.check_model(model, full_check=True)
    notes = {entry.key: entry.value for entry in model.metadata_props}
    assert notes == {
        "feynkac.architecture": "En1ResNet8",
        "feynkac.noise": model.doc_string,
        "feynkac.input": "images: float32 [batch, 3, 8, 8], pixels in [0, 1]",
        "feynkac.output": "logits: float32 scores before the softmax",
    }
    assert not any("Random" in node.op_type for node in model.graph.node)
    home = str(Path(__file__).resolve().parents[2]).encode()
    assert home not in path.read_bytes() and b".py" not in path.read_bytes()


def test_a_narrowed_network_answers_alike_for_any_batch(tmp_path: Path) -> None:
    """With channels taken out of the input of a layer, a dead branch, and a block that gives zeros."""
    block = "ensemble.0.layer{}.0.{}".format
    dead = [block(2, part) for part in ("bn1", "conv1", "bn2", "conv2", "downsample.0")]
    layers: dict[str, Any] = {
        **{block(1, part): {"zero": True} for part in ("bn1", "conv1", "bn2", "conv2")},
        **{path: {"zero": True} for path in dead},
        block(3, "bn1"): {"out": [1, 4], "select": True},
    }
    layers[block(3, "conv1")] = layers[block(3, "downsample.0")] = {"in": [1, 4]}
    net = narrow(build("resnet8", SMALL), {"version": 1, "layers": layers}).eval()
    path = tmp_path / "net.onnx"
    export(path, net)
    evaluator = ReferenceEvaluator(str(path))
    for batch in (1, 3):
        images = torch.rand(batch, 3, 8, 8)
        (found,) = evaluator.run(None, {"images": images.numpy()})
        with torch.no_grad():
            assert torch.allclose(torch.from_numpy(found), net(images), atol=1e-6)


class Drawing(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) + torch.randn_like(x).flatten(1)


class OneBatch(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), -1)


class Branching(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) if x.sum() > 0 else -x.flatten(1)


class Two(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (Drawing(), "draws no random numbers without noise, got one with aten.randn_like"),
        (OneBatch(), "fixes the batch size; export it with a fixed `batch`"),
        (Branching(), "can trace, got"),
        (Two(), "gives one tensor, got several"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence(tmp_path: Path, module: nn.Module, reason: str) -> None:
    with pytest.raises(ServiceError, match=r"^Expected a network that [^\n]*$") as caught:
        export(tmp_path / "net.onnx", module)
    assert reason in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("changed", [{"shape": [3, 8]}, {"shape": [3, 8, 0]}, {"batch": 0}, {"path": "net.onnx"}])
def test_impossible_arguments_are_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    with pytest.raises(ServiceError, match=rf"^Expected `{next(iter(changed))}`"):
        export(tmp_path / "net.onnx", nn.Identity(), **changed)


def test_missing_packages_are_named_with_the_command_that_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(
        ServiceError, match=r"^Expected the Python package `onnxscript` .* -m pip install onnx==\S+ onnx"
    ):
        export(tmp_path / "net.onnx", nn.Identity())
    listed = (Path(__file__).resolve().parents[2] / "environment.yml").read_text("utf-8")
    assert all(f"- {requirement} " in listed for requirement in REQUIREMENTS)


def test_latency_takes_turns_and_leaves_modes_and_the_global_generator() -> None:
    order: list[str] = []
    nets = {name: build("enresnet8", SMALL) for name in ("a", "b")}
    for name, net in nets.items():
        net.register_forward_pre_hook(lambda module, _, name=name: order.append(f"{name}{int(module.training)}"))
    nets["b"].ensemble[0].bn.eval()
    modes = [[part.training for part in net.modules()] for net in nets.values()]
    state = torch.get_rng_state()
    params = {"shape": [3, 8, 8], "batch": 2, "repeats": 3, "warmup": 1, "noise": True}
    value = model_latency(CONTEXT, params, list(nets.values()))[0]
    assert order == ["a0", "b0"] * 4
    assert [len(times) for times in value["seconds"]] == [3, 3] and min(map(min, value["seconds"])) > 0
    assert [[part.training for part in net.modules()] for net in nets.values()] == modes
    assert torch.equal(torch.get_rng_state(), state)
    assert value["device"] == "cpu" and value["threads"] == torch.get_num_threads()
    with pytest.raises(ServiceError, match="Expected one network or more, got"):
        model_latency(CONTEXT, params, [])
