"""`assign` and the optimizer: what a plan changes in place."""

from __future__ import annotations

import pytest
import torch
from builder import Builder, V, cause, program, run
from torch import Tensor, nn

from feynkac_worker.errors import NodeError, PlanError

X, Y, Z = V(0), V(1), V(2)


def test_assign_changes_the_slot_in_place() -> None:
    slot = nn.Parameter(torch.zeros(3))
    address = slot.data_ptr()
    b = Builder("tensor", "tensor")
    b.assign(X, b.add(X, Y))
    b.assign(X, b.mul(X, 2))
    assert run(b.plan(X), slot, torch.ones(3))[0].tolist() == [2, 2, 2]
    assert slot.data_ptr() == address and slot.requires_grad and slot.tolist() == [2, 2, 2]


def test_assign_of_a_view_of_the_slot_reads_the_old_values() -> None:
    slot = torch.arange(9.0).reshape(3, 3)
    expected = slot.T.clone()
    b = Builder("tensor")
    b.assign(X, b.transpose(X, 0, 1))
    run(b.plan(), slot)
    assert torch.equal(slot, expected)


def test_assign_inside_repeat_and_into_a_list() -> None:
    slots = [torch.zeros(2), torch.zeros(2)]
    inner = Builder("tensor", "scalar", "tensors:2")
    inner.assign(inner.get(V(2), 1), inner.add(inner.get(V(2), 1), 1))
    b = Builder("tensor", "tensors:2")
    b.repeat(5, inner.body(V(0)), [X], [Y])
    ready = program(b.plan())
    ready.run([torch.zeros(1), slots, *ready.room])
    assert [s.tolist() for s in slots] == [[0, 0], [5, 5]]
    assert [(t.input, t.element, t.how) for t in ready.targets] == [(1, 1, "assign")]


@pytest.mark.parametrize("value", [torch.zeros(1), torch.zeros(3, dtype=torch.float64), torch.zeros(1, 3)])
def test_assign_broadcasts_and_casts_nothing(value: Tensor) -> None:
    b = Builder("tensor", "tensor")
    b.assign(X, Y)
    with pytest.raises(NodeError) as caught:
        run(b.plan(), torch.ones(3), value)
    assert cause(caught).startswith("Expected `value` to be float32[3] like the slot, got float")


def test_assign_to_something_the_plan_made_is_refused() -> None:
    b = Builder("tensor")
    b.assign(b.exp(X), X)
    with pytest.raises(PlanError, match="Expected `assign` to change a slot, got a value that the plan made itself"):
        program(b.plan())
    inner = Builder("tensor", "scalar")
    inner.assign(V(0), inner.exp(V(0)))
    b = Builder("tensor")
    b.repeat(2, inner.body(V(0)), [X], [])
    with pytest.raises(PlanError, match="a captured slot, got a carried value"):
        program(b.plan())


def test_an_optimizer_step_equals_torch() -> None:
    params = [nn.Parameter(torch.randn(3)), nn.Parameter(torch.randn(2, 2))]
    twins = [nn.Parameter(p.detach().clone()) for p in params]
    settings = {"momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}
    ours, theirs = torch.optim.SGD(params, lr=0.0, **settings), torch.optim.SGD(twins, lr=0.0, **settings)
    b = Builder("optimizer", "tensors:2", "scalar")
    b.optimizer_step(X, Y, Z)
    ready = program(b.plan())
    for lr in (0.1, 0.1, 0.01, 1):
        grads = [torch.randn(3), torch.randn(2, 2)]
        ready.run([ours, grads, lr, *ready.room])
        theirs.param_groups[0]["lr"] = float(lr)
        for p, g in zip(twins, grads, strict=True):
            p.grad = g.clone()
        theirs.step()
        assert all(torch.equal(p, q) for p, q in zip(params, twins, strict=True))
        assert all(p.grad is None for p in params)
    assert ours.state and type(ours.param_groups[0]["lr"]) is float
    b = Builder("optimizer")
    b.optimizer_reset(X)
    run(b.plan(), ours)
    assert not ours.state


def test_an_optimizer_step_refuses_other_gradients_and_leaves_none_behind() -> None:
    p = nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([p], lr=0.0)
    b = Builder("optimizer", "tensor")
    b.optimizer_step(X, [Y], 0.1)
    with pytest.raises(NodeError) as caught:
        run(b.plan(), optimizer, torch.ones(1))
    assert cause(caught) == "Expected `grads[0]` to be float32[3], got float32[1]"
    assert p.grad is None
    b = Builder("optimizer", "tensor")
    b.optimizer_step(X, [Y, Y], 0.1)
    with pytest.raises(NodeError) as caught:
        run(b.plan(), optimizer, torch.ones(3))
    assert cause(caught) == "Expected one gradient for each of the 1 parameters, got 2"
