"""`model.adopt` and the keywords of foreign modules."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from builder import Builder, V, run
from torch import Tensor, nn

from feynkac_worker.adoption import model_adopt
from feynkac_worker.errors import ServiceError
from feynkac_worker.handles import Handles
from feynkac_worker.services import Context

X, Y = V(0), V(1)


def context(**config: object) -> Context:
    return Context(torch.device("cpu"), Handles(100), config={"allowImports": True, **config})


def test_a_file_is_read_anew_and_finds_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_net.py").write_text("WIDTH = 2\n")
    file = tmp_path / "net.py"
    text = "import torch\nfrom neighbour_of_net import WIDTH\ndef make(k=1): return torch.nn.Linear(WIDTH, k)\n"
    file.write_text(text)
    params = {"source": str(file), "name": "make", "options": {"k": 3}, "seed": 5}
    state = torch.get_rng_state()
    (first,) = model_adopt(context(), params, [])[1]
    assert torch.equal(torch.get_rng_state(), state), "the seed is the network's own"
    assert first.weight.shape == (3, 2)
    file.write_text(text.replace("k)", "k + 1)"))
    assert model_adopt(context(), params, [])[1][0].weight.shape == (4, 2)


@pytest.mark.parametrize(
    ("text", "reason"), [("def make(:", "SyntaxError"), ("exit(3)", "SystemExit"), ("1/0", "Zero")]
)
def test_a_file_that_does_not_run_is_one_sentence(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "net.py").write_text(text)
    with pytest.raises(ServiceError, match=f"^Expected `net.py` to run, got {reason}"):
        model_adopt(context(), {"source": str(tmp_path / "net.py"), "name": "make"}, [])


@pytest.mark.parametrize("allow", [False, None, 1, "true"])
def test_nothing_runs_without_permission(tmp_path: Path, allow: object) -> None:
    (tmp_path / "net.py").write_text("open(__file__ + '.ran', 'w')")
    with pytest.raises(ServiceError, match=r"^Expected permission to run Python code of yours"):
        model_adopt(context(allowImports=allow), {"source": str(tmp_path / "net.py"), "name": "make"}, [])
    assert not (tmp_path / "net.py.ran").exists()


class Keywords(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[object] = []

    def forward(self, x: Tensor, noise: bool = True) -> Tensor:
        self.seen.append(noise)
        return 2 * x


def test_a_forward_gets_only_the_keywords_that_it_takes() -> None:
    x, module = torch.randn(2, 3), Keywords()
    for called, factor in ((module, 2), (nn.Identity(), 1)):
        b = Builder("tensor", "module", "generator")
        (found,) = run(b.plan(b.call(Y, X, "eval", V(2), False)), x, called, torch.Generator())
        assert torch.equal(found, x * factor)
    assert module.seen == [False]
