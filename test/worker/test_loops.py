"""`repeat`: counts, carries, captures."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from builder import Builder, V, cause, program, run
from torch import nn

from feynkac_worker import kernels
from feynkac_worker.errors import NodeError

X, Y, Z = V(0), V(1), V(2)


def pgd_body() -> tuple[Builder, Any]:
    inner = Builder("tensor", "scalar", "tensor", "module")
    leaf = inner.leaf(V(0))
    loss = inner.cross_entropy(inner.call(V(3), leaf, "eval"), inner.argmax(V(2), 1))
    g = inner.get(inner.grad(loss, [leaf]), 0)
    moved = inner.add(leaf, inner.mul(inner.sign(g), 0.01))
    return inner, inner.clamp(moved, inner.sub(V(2), 0.05), inner.add(V(2), 0.05))


def test_ten_repeats_equal_ten_runs_bit_for_bit() -> None:
    module = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))
    x = torch.randn(6, 4)
    inner, result = pgd_body()
    b = Builder("tensor", "module")
    repeated = b.plan(b.get(b.repeat(10, inner.body(result), [X], [X, Y]), 0))
    single, result = pgd_body()
    once = program(single.plan(result))
    state = x
    for index in range(10):
        (state,) = once.run([state, index, x, module, *once.room])
    assert torch.equal(run(repeated, x, module)[0], state)
    assert not torch.equal(state, x)


def test_repeat_counts_from_a_literal_a_scalar_and_a_tensor() -> None:
    x = torch.zeros(2)
    for kind, times, value in (
        ("tensor", 3, torch.tensor(0)),
        ("scalar", Y, 3),
        ("scalar", Y, 3.0),
        ("tensor", Y, torch.tensor(3)),
    ):
        inner = Builder("tensor", "scalar")
        b = Builder("tensor", kind)
        result = b.repeat(times, inner.body(inner.add(V(0), V(1))), [X], [])
        assert run(b.plan(b.get(result, 0)), x, value)[0].tolist() == [3, 3]


@pytest.mark.parametrize("times", [-1, 0.5, 2e9])
def test_repeat_refuses_other_counts(times: float) -> None:
    inner = Builder("tensor", "scalar")
    b = Builder("tensor", "scalar")
    with pytest.raises(NodeError) as caught:
        run(b.plan(b.get(b.repeat(Y, inner.body(V(0)), [X], []), 0)), torch.zeros(1), times)
    assert cause(caught).startswith("Expected `times` to be")


def test_zero_repeats_give_a_copy_of_the_carry() -> None:
    x = torch.ones(2)
    inner = Builder("tensor", "scalar")
    b = Builder("tensor")
    (found,) = run(b.plan(b.get(b.repeat(0, inner.body(inner.exp(V(0))), [X], []), 0)), x)
    assert torch.equal(found, x) and found.data_ptr() != x.data_ptr()


def test_a_scalar_may_be_carried_and_captured() -> None:
    inner = Builder("tensor", "tensor", "scalar", "scalar")
    body = inner.body(inner.sub(V(0), inner.mul(V(1), V(3))), inner.mul(V(1), 0.5))
    b = Builder("tensor", "scalar")
    (found,) = run(b.plan(b.get(b.repeat(3, body, [X, Y], [Y]), 0)), torch.tensor(1.0), 0.5)
    assert found.item() == 1 - 0.25 - 0.125 - 0.0625


def test_a_body_may_return_its_index() -> None:
    inner = Builder("tensor", "scalar")
    b = Builder("tensor")
    (found,) = run(b.plan(b.get(b.repeat(4, inner.body(V(1)), [X], []), 0)), torch.tensor(0))
    assert found.dtype == torch.int64 and found.item() == 3


def test_number_of_a_tensor_is_its_item() -> None:
    assert kernels.number(torch.tensor(2.5)) == 2.5
    with pytest.raises(ValueError, match="Expected `start` to be an integer, got `True`"):
        kernels.integer(True, "start")
