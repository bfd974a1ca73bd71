"""Every row of the op table against direct torch, bit for bit (interop.md, pitfall 21)."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from builder import Builder, program, run
from op_rows import ELSEWHERE, ROWS, Row, X, Y, normal, seeded
from torch import Tensor

from feynkac_worker import optable

CASES = [pytest.param(name, row, id=f"{name}-{i}") for name, rows in ROWS.items() for i, row in enumerate(rows)]


def kind_of(value: Any) -> str:
    if isinstance(value, list):
        return f"tensors:{len(value)}"
    return "tensor" if isinstance(value, Tensor) else "generator"


def same(found: Tensor, expected: Tensor) -> None:
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    # Bit for bit: NaN equals NaN, and -0 differs from 0.
    assert found.contiguous().numpy().tobytes() == expected.contiguous().numpy().tobytes()


def test_the_table_has_every_row() -> None:
    assert set(ROWS) | ELSEWHERE == set(optable.BY_NAME)
    assert not set(ROWS) & ELSEWHERE


@pytest.mark.parametrize(("name", "row"), CASES)
def test_equals_torch(name: str, row: Row) -> None:
    make, args, direct = row
    inputs = make()
    copies = [value.clone() if isinstance(value, Tensor) else value for value in inputs]
    b = Builder(*(kind_of(value) for value in inputs))
    result = getattr(b, name)(*args)
    expected = direct(*inputs)
    many = not isinstance(expected, Tensor)
    outputs = [b.get(result, i) for i in range(len(expected))] if many else [result]
    found = run(b.plan(*outputs), *inputs, log=lambda line: None)
    for x, y in zip(found, expected if many else [expected], strict=True):
        same(x, y)
        assert not x.requires_grad
    for value, copy in zip(inputs, copies, strict=True):
        if isinstance(value, Tensor):
            same(value, copy)


@pytest.mark.parametrize("name", ["rand_like", "randn_like", "randint_like"])
def test_draws_do_not_depend_on_the_memory_format(name: str) -> None:
    b = Builder("tensor", "generator")
    bounds = [0, 100] if name == "randint_like" else []
    ready = program(b.plan(getattr(b, name)(X, *bounds, Y)))
    x_BCHW = normal(2, 3, 4, 4)
    (plain,) = ready.run([x_BCHW, seeded(), *ready.room])
    (last,) = ready.run([x_BCHW.contiguous(memory_format=torch.channels_last), seeded(), *ready.room])
    same(plain, last)
    assert last.is_contiguous(memory_format=torch.channels_last)


def test_dead_pure_nodes_are_dropped_and_draws_are_not() -> None:
    b = Builder("tensor", "generator")
    b.log(X)
    b.rand([4], Y)
    kept = b.rand([4], Y)
    ready = program(b.plan(kept))
    assert [step[3].op.name for step in ready.block.steps] == ["rand", "rand"]
    g = seeded()
    torch.rand(4, generator=g)
    same(ready.run([normal(3), seeded(), *ready.room])[0], torch.rand(4, generator=g))
