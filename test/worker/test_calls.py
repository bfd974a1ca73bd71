"""Module calls: modes, keywords, replaced parameters."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from builder import Builder, V, cause, run
from torch import Tensor, nn

from feynkac_worker.errors import NodeError

X, Y, Z = V(0), V(1), V(2)


class Noisy(nn.Module):
    """Takes the keywords of our own networks, and tells which came."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[dict[str, Any]] = []
        self.norm = nn.BatchNorm1d(3)

    def forward(self, x: Tensor, **named: Any) -> Tensor:
        self.seen.append(named)
        return self.norm(x)


def test_train_mode_updates_running_statistics_and_eval_mode_does_not() -> None:
    module, x = nn.BatchNorm1d(3), torch.randn(8, 3)
    twin = copy.deepcopy(module)
    b = Builder("tensor", "module")
    trained = b.call(Y, X, "train")
    after = b.call(Y, X, "eval")
    found = run(b.plan(trained, after), x, module)
    twin.train()
    expected = twin(x)
    twin.eval()
    assert torch.equal(found[0], expected) and torch.equal(found[1], twin(x))
    assert torch.equal(module.running_mean, twin.running_mean) and module.num_batches_tracked.item() == 1
    assert not module.training
    run(b.plan(b.call(Y, X, "eval")), x, module)
    assert module.num_batches_tracked.item() == 2, "the train call stays in the plan"


def test_a_call_whose_result_is_unused_still_happens() -> None:
    module = nn.BatchNorm1d(3)
    b = Builder("tensor", "module")
    b.call(Y, X, "train")
    assert run(b.plan(), torch.randn(8, 3), module) == []
    assert module.num_batches_tracked.item() == 1


def test_modes_switch_only_when_they_differ() -> None:
    module = nn.Linear(3, 3)
    modes: list[bool] = []
    module.train = lambda mode=True: modes.append(mode) or nn.Module.train(module, mode)  # type: ignore[method-assign]
    b = Builder("tensor", "module")
    b.call(Y, b.call(Y, b.call(Y, X, "eval"), "eval"), "train")
    run(b.plan(), torch.ones(1, 3), module)
    assert modes == [False, True]


def test_keywords_are_passed_only_when_given() -> None:
    module, g = Noisy(), torch.Generator()
    b = Builder("tensor", "module", "generator")
    b.call(Y, X, "eval")
    b.call(Y, X, "eval", Z, False, 3)
    run(b.plan(), torch.ones(1, 3), module, g)
    assert module.seen == [{}, {"generator": g, "noise": False, "draws": 3}]


def test_functional_call_replaces_parameters_and_gives_gradients_of_the_replacement() -> None:
    module, x = nn.Linear(3, 2), torch.randn(4, 3)
    weight = module.weight.detach().clone()
    b = Builder("tensor", "module", "tensor")
    sign = b.leaf(b.sign(Z))
    loss = b.sum(b.square(b.call(Y, X, "train", names=["weight"], params=[sign])))
    found = run(b.plan(loss, b.get(b.grad(loss, [sign]), 0)), x, module, module.weight)
    binary = weight.sign().requires_grad_()
    expected = (x @ binary.T + module.bias).square().sum()
    assert torch.allclose(found[0], expected.detach())
    assert torch.allclose(found[1], torch.autograd.grad(expected, [binary])[0], rtol=1e-5)
    assert torch.equal(module.weight, weight) and type(module.weight) is nn.Parameter


@pytest.mark.parametrize("name", ["nothing", "__class__", "weight.data", "forward", "_parameters", "", "weight "])
def test_functional_call_refuses_names_that_the_module_does_not_list(name: str) -> None:
    b = Builder("tensor", "module", "tensor")
    plan = b.plan(b.call(Y, X, "eval", names=[name], params=[Z]))
    with pytest.raises(NodeError) as caught:
        run(plan, torch.ones(1, 3), nn.Linear(3, 2), torch.ones(2, 3))
    assert cause(caught) == f"Expected `names` to be parameters or buffers (weight, bias, ...), got `{name}`"


def test_a_module_must_give_a_tensor() -> None:
    class Pair(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x, x

    b = Builder("tensor", "module")
    with pytest.raises(NodeError) as caught:
        run(b.plan(b.call(Y, X, "eval")), torch.ones(2), Pair())
    assert cause(caught) == "Expected the module to give a tensor, got [float32[2], float32[2]] (2)"


def test_dropout_is_on_in_train_mode_and_off_in_eval_mode() -> None:
    module = nn.Dropout(0.5)
    b = Builder("tensor", "module")
    dropped, kept = run(b.plan(b.call(Y, X, "train"), b.call(Y, X, "eval")), torch.ones(1000), module)
    assert 300 < int((dropped == 0).sum()) < 700
    assert torch.equal(kept, torch.ones(1000))
