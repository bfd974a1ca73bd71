"""state.save and state.load: training that was stopped goes on with the same bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from feynkac_worker.checkpoints import files
from feynkac_worker.errors import ServiceError
from feynkac_worker.models import build

NAMES = ["net", "sgd", "draws", "u", "step"]


class Training:
    """A network with noise, SGD with Nesterov momentum, a generator, and loose tensors, as a client would hold them."""

    def __init__(self, seed: int, width: int = 4, momentum: float = 0.9) -> None:
        self.net = build("enresnet8", {"members": 2, "width": width}, seed=seed)
        self.sgd = torch.optim.SGD(self.net.parameters(), 0.0, momentum, nesterov=momentum > 0, weight_decay=5e-4)
        self.draws = torch.Generator().manual_seed(seed)
        self.u = self.net.ensemble[0].conv1.weight.detach() * seed  # type: ignore[index,union-attr,operator]
        self.step = torch.tensor(seed)

    @property
    def parts(self) -> list[Any]:
        return [self.net, self.sgd, self.draws, self.u, self.step]

    def run(self, steps: int) -> None:
        self.net.train()
        for _ in range(steps):
            x = torch.rand(4, 3, 8, 8, generator=self.draws)
            loss = self.net(x, generator=self.draws).square().mean()
            gradients = torch.autograd.grad(loss, list(self.net.parameters()))
            for parameter, gradient in zip(self.net.parameters(), gradients, strict=True):
                parameter.grad = gradient
            self.sgd.param_groups[0]["lr"] = 0.1
            self.sgd.step()
            self.sgd.zero_grad()
            self.step += 1

    def bits(self) -> list[Tensor]:
        momentum = [self.sgd.state[p]["momentum_buffer"] for p in self.net.parameters() if p in self.sgd.state]
        return [*self.net.state_dict().values(), *momentum, self.draws.get_state(), self.u, self.step]


def equal(a: list[Tensor], b: list[Tensor]) -> bool:
    return len(a) == len(b) and all(torch.equal(x, y) and x.dtype == y.dtype for x, y in zip(a, b, strict=True))


def test_resumed_training_has_the_same_bits(call: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "state")
    through = Training(1)
    through.run(2)
    metadata = {"epoch": 2, "best": 0.1 + 0.2, "list": [1, None, "ü"]}
    value, handles = call("state.save", {"path": path, "names": NAMES, "metadata": metadata}, through.parts)
    assert (value["bytes"], handles) == ((tmp_path / "state").stat().st_size, [])
    saved = [tensor.clone() for tensor in through.bits()]
    resumed = Training(2)
    resumed.run(1)
    weight, buffers = next(resumed.net.parameters()), dict(resumed.net.named_buffers())
    value, handles = call("state.load", {"path": path, "names": NAMES}, resumed.parts)
    assert (value, handles) == ({"metadata": metadata}, [])
    assert equal(resumed.bits(), saved)
    # In place: the client's other handles look at the same storage.
    assert next(resumed.net.parameters()) is weight
    assert all(buffer is buffers[name] for name, buffer in resumed.net.named_buffers())
    through.run(2)
    resumed.run(2)
    assert equal(resumed.bits(), through.bits())


def test_state_before_the_first_step_clears_later_momentum(call: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "state")
    fresh, used = Training(1), Training(2)
    call("state.save", {"path": path, "names": NAMES}, fresh.parts)
    used.run(1)
    call("state.load", {"path": path, "names": NAMES}, used.parts)
    fresh.run(2)
    used.run(2)
    assert equal(fresh.bits(), used.bits())


def test_a_network_without_momentum(call: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "state")
    one, other = Training(1, momentum=0.0), Training(2, momentum=0.0)
    one.run(1)
    call("state.save", {"path": path, "names": NAMES}, one.parts)
    call("state.load", {"path": path, "names": NAMES}, other.parts)
    one.run(1)
    other.run(1)
    assert equal(list(one.net.state_dict().values()), list(other.net.state_dict().values()))


def raw(tensor: Tensor) -> list[int]:
    return tensor.contiguous().view(-1).view(torch.uint8).tolist()


def test_every_dtype_and_awkward_value_comes_back(call: Any, tmp_path: Path) -> None:
    values = torch.tensor([float("nan"), float("inf"), -0.0, 1e-45])
    parts = [values, values.double(), values.half(), values.bfloat16(), torch.tensor([2**62, -1]), torch.tensor(True)]
    parts += [torch.zeros(0, 3), torch.arange(6.0).view(2, 3).t(), torch.arange(3, dtype=torch.uint8)]
    names = [f"{i}/odd name" for i in range(len(parts))]
    path = str(tmp_path / "state")
    call("state.save", {"path": path, "names": names}, parts)
    targets = [torch.zeros_like(part) for part in parts]
    call("state.load", {"path": path, "names": names}, targets)
    for part, target in zip(parts, targets, strict=True):
        assert target.dtype == part.dtype
        assert (
            target.contiguous().view(-1).view(torch.uint8).tolist()
            == part.contiguous().view(-1).view(torch.uint8).tolist()
        )


def test_tensors_that_share_storage_are_saved_each(call: Any, tmp_path: Path) -> None:
    net = build("resnet8", {"width": 4})
    weight = next(net.parameters())
    path = str(tmp_path / "state")
    call("state.save", {"path": path, "names": ["net", "w"]}, [net, weight])
    kept = weight.detach().clone()
    with torch.no_grad():
        weight.zero_()
    call("state.load", {"path": path, "names": ["w"]}, [weight])
    assert torch.equal(weight, kept)


def test_what_does_not_fit_is_refused_and_nothing_is_touched(call: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "state")
    saved = Training(1)
    saved.run(1)
    call("state.save", {"path": path, "names": NAMES}, saved.parts)

    def sentence(names: list[Any], parts: list[Any]) -> str:
        with pytest.raises(ServiceError) as caught:
            call("state.load", {"path": path, "names": names}, parts)
        return str(caught.value)

    target = Training(2)
    before = [tensor.clone() for tensor in target.bits()]
    other_settings = torch.optim.SGD(target.net.parameters(), 0.0, 0.5, weight_decay=5e-4)
    fewer = torch.optim.SGD(list(target.net.parameters())[:-1], 0.0, 0.9, nesterov=True, weight_decay=5e-4)
    one, where = target.net, f"the part `{{}}` of `{path}`"
    key = "ensemble.0.conv1.weight"
    assert sentence(["net", "w"], [one, target.u]) == f"Expected `{path}` to hold the part `w`, got {', '.join(NAMES)}"
    assert sentence(["net", "u"], [one, one]) == f"Expected {where.format('u')} to be a module, got a tensor"
    assert sentence(["net", "u"], [one, torch.zeros(3)]) == (
        f"Expected `value` in {where.format('u')} to be float32[3], got float32[4, 3, 3, 3]"
    )
    assert sentence(["step", "net"], [target.step, Training(1, width=8).net]) == (
        f"Expected `{key}` in {where.format('net')} to be float32[8, 3, 3, 3], got float32[4, 3, 3, 3]"
    )
    assert sentence(["net"], [build("resnet8", {"width": 4})]) == (
        f"Expected {where.format('net')} to hold 46 entries, got also `ensemble.1.bn.bias`"
    )
    assert sentence(["net"], [nn.Linear(1, 1)]).endswith("to hold `weight`, got no such entry")
    assert sentence(["net", "sgd"], [one, other_settings]).startswith(
        f"Expected {where.format('sgd')} to have the settings {{'parameters': 50, 'momentum': 0.5, "
    )
    assert sentence(["net", "sgd"], [one, fewer]).startswith(
        f"Expected {where.format('sgd')} to have the settings {{'parameters': 49, 'momentum': 0.9, "
    )
    assert sentence(["net", "net"], [one, one]) == "Expected `names` to be 2 different names, one a handle, got 2"
    assert sentence(["net"], []) == "Expected `names` to be 0 different names, one a handle, got 1"
    assert sentence([3], [one]).startswith("Expected `names` to be a list of names, got `3`")
    assert equal(target.bits(), before)


def test_damaged_and_foreign_files_are_refused(call: Any, tmp_path: Path) -> None:
    path = tmp_path / "state"
    tensor = torch.zeros(3)
    call("state.save", {"path": str(path), "names": ["u"]}, [tensor])
    whole = path.read_bytes()
    foreign = safetensors.torch.save({"u": tensor})
    newer = whole.replace(b'"feynkac_state":"1"', b'"feynkac_state":"9"')
    assert newer != whole
    cases = [
        (whole[:-1], "to be a safetensors file, got a damaged one"),
        (b"", "to be a safetensors file, got a damaged one"),
        (foreign, "to be a training state, got another safetensors file"),
        (newer, "to be a training state of layout 1, got layout 9"),
    ]
    for data, sentence in cases:
        path.write_bytes(data)
        with pytest.raises(ServiceError) as caught:
            call("state.load", {"path": str(path), "names": ["u"]}, [tensor])
        assert str(caught.value).startswith(f"Expected `{path}` {sentence}")
    with pytest.raises(ServiceError, match="which does not exist"):
        call("state.load", {"path": str(tmp_path / "no"), "names": ["u"]}, [tensor])


def test_a_full_disk_keeps_the_old_state(call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state"
    tensor = torch.ones(3)
    call("state.save", {"path": str(path), "names": ["u"]}, [tensor])

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write_and_sync", full)
    with pytest.raises(ServiceError, match="no space left on device; the file that was there is unchanged"):
        call("state.save", {"path": str(path), "names": ["u"]}, [tensor * 2])
    loaded = torch.zeros(3)
    call("state.load", {"path": str(path), "names": ["u"]}, [loaded])
    assert torch.equal(loaded, tensor)
