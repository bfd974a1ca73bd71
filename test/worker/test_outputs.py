"""Checks, the log, and who owns the storage of outputs."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from builder import Builder, V, cause, program, run
from torch import Tensor

from feynkac_worker.errors import NodeError, NonFiniteError
from feynkac_worker.ops import TARGETS, Target

X, Y, Z = V(0), V(1), V(2)


def test_check_finite_counts_what_is_wrong() -> None:
    b = Builder("tensor")
    b.check_finite(X, "the loss")
    with pytest.raises(NodeError) as caught:
        run(b.plan(), torch.tensor([1.0, float("nan"), float("inf"), float("-inf")]))
    assert isinstance(caught.value.__cause__, NonFiniteError)
    assert cause(caught) == "Expected `the loss` to be finite, got 1 NaN and 2 infinite of 4 (float32[4])"


def test_print_writes_one_line() -> None:
    lines: list[str] = []
    b = Builder("tensor")
    b.print(X, "two\nlines \x1b")
    run(b.plan(), torch.tensor([[1.0, -2.0], [float("nan"), 4.0]]), log=lines.append)
    assert lines == ["two lines \x1b  float32[2, 2]  min -2  mean 1  max 4  non-finite 1 of 4  (script.ts:1:1)"]


def test_debug_describes_every_value() -> None:
    lines: list[str] = []
    inner = Builder("tensor", "scalar")
    body = inner.body(inner.mul(V(0), 2.0))
    b = Builder("tensor")
    leaf = b.leaf(X)
    g = b.get(b.grad(b.sum(leaf), [leaf]), 0)
    ready = program(b.plan(b.get(b.repeat(2, body, [g], []), 0)), log=lines.append)
    ready.runtime.debug = True
    (found,) = ready.run([torch.ones(2), *ready.room])
    assert found.tolist() == [4, 4]
    assert lines == [
        "script.ts:1:1  leaf -> float32[2]  min 1  mean 1  max 1",
        "script.ts:2:1  sum -> float32[]  min 2  mean 2  max 2",
        "script.ts:3:1  grad -> float32[2]  min 1  mean 1  max 1",
        "script.ts:4:1  get -> float32[2]  min 1  mean 1  max 1",
        "script.ts:1:1  mul -> float32[2]  min 2  mean 2  max 2",
        "script.ts:1:1  mul -> float32[2]  min 4  mean 4  max 4",
        "script.ts:6:1  repeat -> float32[2]  min 4  mean 4  max 4",
        "script.ts:7:1  get -> float32[2]  min 4  mean 4  max 4",
    ]


def test_outputs_own_their_storage() -> None:
    x = torch.arange(6.0)
    b = Builder("tensor", "tensors:1")
    fresh = b.exp(X)
    views = [
        b.reshape(X, [2, 3]),
        b.narrow(X, 0, 1, 2),
        b.detach(X),
        b.to(X, torch.float32),
        b.leaf(X),
        b.print(X, "x"),
    ]
    outputs = [X, X, *views, b.get(V(1), 0), fresh, b.reshape(fresh, [3, 2]), fresh]
    found = run(b.plan(*outputs), x, [x], log=lambda line: None)
    addresses = {f.untyped_storage().data_ptr() for f in [x, *found]}
    assert len(addresses) == len(found) + 1
    x.zero_()
    assert all(f.abs().sum() > 0 for f in found)


def test_gradients_that_are_one_tensor_become_two_outputs() -> None:
    # d(a + b)/da and /db are one and the same tensor in torch.
    b = Builder("tensor", "tensor")
    one, two = b.leaf(X), b.leaf(Y)
    grads = b.grad(b.sum(b.add(one, two)), [one, two])
    found = run(b.plan(b.get(grads, 0), b.get(grads, 1)), torch.ones(2), torch.ones(2))
    assert found[0].data_ptr() != found[1].data_ptr()


def test_values_die_after_their_last_use(monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[int] = []
    seen: list[weakref.ref[Tensor]] = []

    def spy(x: Tensor) -> Tensor:
        y = x + 1
        seen.append(weakref.ref(y))
        alive.append(sum(r() is not None for r in seen))
        return y

    monkeypatch.setitem(TARGETS, "exp", Target(spy))
    b = Builder("tensor")
    v = X
    for _ in range(20):
        v = b.exp(v)
    gc.disable()
    try:
        run(b.plan(b.sum(v)), torch.zeros(4))
    finally:
        gc.enable()
    assert max(alive) == 2


def test_randomness_comes_from_the_given_generator_only() -> None:
    state = torch.get_rng_state()
    b = Builder("generator")
    run(b.plan(b.randn([4], X), b.randperm(9, X)), torch.Generator())
    assert torch.equal(torch.get_rng_state(), state)
