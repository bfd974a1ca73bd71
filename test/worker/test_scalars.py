"""Runtime scalars behave like literals: no promotion, whole numbers where whole numbers are needed."""

from __future__ import annotations

import pytest
import torch
from builder import Builder, V, run

from feynkac_worker.errors import NodeError

X, S, T = V(0), V(1), V(2)


@pytest.mark.parametrize("shape", [(), (3,)], ids=["0-d", "1-d"])
@pytest.mark.parametrize("op", ["add", "sub", "mul", "div", "pow", "maximum", "minimum", "remainder", "floor_divide"])
def test_a_float64_scalar_does_not_promote_float32(op: str, shape: tuple[int, ...]) -> None:
    x = torch.rand(shape)
    b = Builder("tensor", "scalar")
    literal = Builder("tensor", "scalar")
    (found,) = run(b.plan(getattr(b, op)(X, S)), x, 0.3)
    (baked,) = run(literal.plan(getattr(literal, op)(X, 0.3)), x, 0.3)
    assert found.dtype == torch.float32
    assert torch.equal(found, baked)


@pytest.mark.parametrize("op", ["add", "sub", "mul", "div", "pow"])
def test_a_scalar_in_front_takes_the_dtype_of_the_tensor(op: str) -> None:
    for x in (torch.tensor(0.5), torch.rand(3)):
        b = Builder("tensor", "scalar")
        (found,) = run(b.plan(getattr(b, op)(S, X)), x, 0.3)
        assert found.dtype == torch.float32
        assert torch.equal(found, getattr(torch, op)(torch.tensor(0.3), x))


def test_scalar_arithmetic_stays_a_scalar() -> None:
    # lr * beta / 2, then times a 0-d float32: a float64 0-d tensor on the way would give float64.
    b = Builder("tensor", "scalar", "scalar")
    rate = b.div(b.mul(S, T), 2)
    (found, alone) = run(b.plan(b.mul(X, rate), rate), torch.tensor(3.0), 0.1, 0.7)
    assert found.dtype == torch.float32
    assert found.item() == torch.tensor(3.0).mul(0.1 * 0.7 / 2).item()
    assert alone.dtype == torch.float64
    assert alone.item() == 0.1 * 0.7 / 2


def test_scalars_leave_as_0d_tensors() -> None:
    b = Builder("tensor", "scalar", "scalar", "scalar")
    found = run(b.plan(S, T, V(3), b.size(X, 0), b.gt(S, 0.0)), torch.zeros(4), 0.5, 2**40, True)
    assert [(x.dtype, x.dim(), x.item()) for x in found] == [
        (torch.float64, 0, 0.5),
        (torch.int64, 0, 2**40),
        (torch.bool, 0, True),
        (torch.int64, 0, 4),
        (torch.bool, 0, True),
    ]


def test_a_mean_by_the_size_keeps_the_dtype() -> None:
    b = Builder("tensor")
    (found,) = run(b.plan(b.div(b.sum(X), b.size(X, 0))), torch.ones(4))
    assert found.dtype == torch.float32 and found.item() == 1


def test_integers_and_floats_are_told_apart() -> None:
    b = Builder("tensor", "scalar")
    x = torch.arange(3)
    assert run(b.plan(b.mul(X, S)), x, 2)[0].dtype == torch.int64
    assert run(b.plan(b.mul(X, S)), x, 2.0)[0].dtype == torch.float32


def test_narrow_starts_at_a_runtime_scalar() -> None:
    b = Builder("tensor", "scalar")
    plan = b.plan(b.narrow(X, 0, S, 2))
    x = torch.arange(6.0)
    assert run(plan, x, 3)[0].tolist() == [3, 4]
    # JavaScript has one kind of number, so an integral one will do; half an index will not.
    assert run(plan, x, 3.0)[0].tolist() == [3, 4]
    with pytest.raises(NodeError) as caught:
        run(plan, x, 0.5)
    assert str(caught.value.__cause__) == "Expected `start` to be an integer, got `0.5`"


def test_scalars_stand_where_tensors_are_expected() -> None:
    b = Builder("tensor", "scalar", "scalar")
    stacked = b.stack([S, T], 0)
    (found, picked) = run(b.plan(stacked, b.where(X, b.gt(S, T), 0)), torch.ones(2), 0.5, 0.25)
    assert found.dtype == torch.float64 and found.tolist() == [0.5, 0.25]
    assert picked.dtype == torch.float32 and picked.tolist() == [1, 1]


def test_a_print_in_between_changes_nothing() -> None:
    b = Builder("tensor", "scalar")
    shown = b.check_finite(b.print(b.detach(S), "beta"), "beta")
    lines: list[str] = []
    (found,) = run(b.plan(b.mul(X, shown)), torch.tensor(1.0), 0.5, log=lines.append)
    assert found.dtype == torch.float32
    assert lines == ["beta  0.5  (script.ts:2:1)"]
