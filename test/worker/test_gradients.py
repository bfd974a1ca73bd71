"""Gradients against torch.autograd and finite differences; what is recorded, retained, and never leaks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from builder import Builder, V, program, run
from torch import nn

from feynkac_worker.errors import NodeError, PlanError

X, Y = V(0), V(1)


def recorded(plan: bytes, *values: Any) -> list[str]:
    """The ops that run with gradient mode on."""
    ready = program(plan)
    names: list[str] = []

    def wrap(step: Any) -> Any:
        call, out, drops, node = step

        def spy(values: Any) -> Any:
            # The last place is for the switches of gradient mode.
            if torch.is_grad_enabled() and out < len(values) - 1:
                names.append(node.op.name)
            return call(values)

        return spy, out, drops, node

    ready.block.steps = tuple(wrap(step) for step in ready.block.steps)
    ready.run([*values, *ready.room])
    return names


def test_a_gradient_equals_autograd_bit_for_bit() -> None:
    x, w = torch.randn(5, 3), torch.randn(3, 4)
    b = Builder("tensor", "tensor")
    leaf = b.leaf(X)
    loss = b.sum(b.square(b.tanh(b.matmul(leaf, Y))))
    found, value = run(b.plan(b.get(b.grad(loss, [leaf]), 0), loss), x, w)
    x_ = x.clone().requires_grad_()
    expected = (x_ @ w).tanh().square().sum()
    assert torch.equal(found, torch.autograd.grad(expected, [x_])[0])
    assert torch.equal(value, expected.detach())


@pytest.mark.parametrize(
    ("op", "extra"),
    [
        *[("mul", [0.5]), ("div", [2.0]), ("exp", []), ("log1p", []), ("tanh", []), ("atanh", []), ("acos", [])],
        *[("clamp", [0.2, 0.7]), ("norm", []), ("std", []), ("log_softmax", [0]), ("cumsum", [0]), ("maximum", [0.5])],
        *[("amax", []), ("pow", [3]), ("sigmoid", []), ("sqrt", []), ("mean", []), ("reshape", [[2, 3]])],
        *[("flip", [[0]])],
    ],
)
def test_a_gradient_agrees_with_finite_differences(op: str, extra: list[Any]) -> None:
    x = torch.linspace(0.11, 0.87, 6, dtype=torch.float64)
    weights = torch.linspace(1, 2, 6, dtype=torch.float64)
    b = Builder("tensor", "tensor")
    leaf = b.leaf(X)
    result = b.reshape(getattr(b, op)(leaf, *extra), [-1])
    loss = b.sum(b.mul(result, b.narrow(Y, 0, 0, 1 if op in ("norm", "std", "amax", "mean") else 6)))
    gradient, _ = run(b.plan(b.get(b.grad(loss, [leaf]), 0), loss), x, weights)
    step = 1e-6
    for i in range(6):
        moved = [
            run(b.plan(loss), x + sign * step * torch.eye(6, dtype=torch.float64)[i], weights)[0] for sign in (1, -1)
        ]
        assert gradient[i].item() == pytest.approx((moved[0] - moved[1]).item() / (2 * step), rel=1e-6, abs=1e-8)


def test_only_the_path_from_leaf_to_loss_is_recorded() -> None:
    b = Builder("tensor", "tensor")
    before = b.exp(X)
    leaf = b.leaf(before)
    aside = b.sin(Y)
    loss = b.sum(b.mul(leaf, aside))
    g = b.get(b.grad(loss, [leaf]), 0)
    after = b.add(leaf, b.sign(g))
    assert recorded(b.plan(after), torch.rand(3), torch.rand(3)) == ["mul", "sum"]


def test_gradient_mode_is_restored_also_after_an_error() -> None:
    b = Builder("tensor", "tensor")
    leaf = b.leaf(X)
    plan = b.plan(b.get(b.grad(b.sum(b.matmul(leaf, Y)), [leaf]), 0))
    for mode in (True, False):
        with torch.set_grad_enabled(mode):
            run(plan, torch.rand(2, 2), torch.rand(2, 2))
            assert torch.is_grad_enabled() is mode
            with pytest.raises(NodeError):
                run(plan, torch.rand(2, 2), torch.rand(3, 3))
            assert torch.is_grad_enabled() is mode


def test_outputs_are_cut_from_the_graph() -> None:
    b = Builder("tensor", "tensor")
    leaf = b.leaf(X)
    squared = b.square(leaf)
    loss = b.sum(squared)
    weight = nn.Parameter(torch.ones(2))
    outputs = [b.get(b.grad(loss, [leaf]), 0), loss, leaf, squared, Y, b.reshape(Y, [1, 2])]
    for x in run(b.plan(*outputs), torch.rand(2), weight):
        assert not x.requires_grad and x.grad_fn is None and type(x) is torch.Tensor


def test_several_gradients_share_a_forward_pass() -> None:
    x = torch.randn(4)
    b = Builder("tensor")
    leaf = b.leaf(X)
    shared = b.exp(leaf)
    first, second = b.sum(shared), b.sum(b.square(shared))
    one, two = b.get(b.grad(first, [leaf]), 0), b.get(b.grad(second, [leaf]), 0)
    found = run(b.plan(one, two), x)
    assert torch.equal(found[0], x.exp())
    assert torch.allclose(found[1], 2 * x.exp().square())


def test_a_graph_is_retained_only_while_a_later_gradient_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []
    real = torch.autograd.grad

    def spy(*args: Any, **named: Any) -> Any:
        kept.append(named["retain_graph"])
        return real(*args, **named)

    monkeypatch.setattr(torch.autograd, "grad", spy)
    b = Builder("tensor")
    leaf, other = b.leaf(X), b.leaf(X)
    shared = b.exp(leaf)
    grads = [b.grad(b.sum(shared), [leaf]), b.grad(b.sum(b.sin(other)), [other]), b.grad(b.mean(shared), [leaf])]
    run(b.plan(*(b.get(g, 0) for g in grads)), torch.rand(3))
    assert kept == [True, False, False]


def test_parameters_are_leaves_by_themselves() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    params = list(module.parameters())
    x = torch.randn(5, 3)
    b = Builder("tensor", "module", *["tensor"] * 4)
    wrt = [V(i) for i in range(2, 6)]
    loss = b.mean(b.square(b.call(Y, X, "train")))
    grads = b.grad(loss, wrt)
    found = run(b.plan(*(b.get(grads, i) for i in range(4))), x, module, *params)
    with torch.enable_grad():
        expected = torch.autograd.grad(module(x).square().mean(), params)
    for a, e in zip(found, expected, strict=True):
        assert torch.equal(a, e)
    assert all(p.grad is None for p in params)


def test_parameters_may_come_as_one_list() -> None:
    module = nn.Linear(3, 2)
    b = Builder("tensor", "module", "tensors:2")
    grads = b.grad(b.sum(b.call(Y, X, "eval")), V(2))
    found = run(b.plan(b.get(grads, 1)), torch.ones(5, 3), module, list(module.parameters()))
    assert found[0].tolist() == [5, 5]


def test_an_attack_inside_a_training_step_records_only_its_own_path() -> None:
    # The training gradient must not flow through the attack: grad and leaf cut it.
    module = nn.Linear(3, 1, bias=False)
    inner = Builder("tensor", "scalar", "module")
    leaf = inner.leaf(V(0))
    g = inner.get(inner.grad(inner.sum(inner.call(V(2), leaf, "eval")), [leaf]), 0)
    body = inner.body(inner.add(leaf, inner.mul(inner.sign(g), 0.1)))
    b = Builder("tensor", "module", "tensor")
    adversarial = b.get(b.repeat(3, body, [X], [Y]), 0)
    loss = b.sum(b.call(Y, adversarial, "train"))
    plan = b.plan(b.get(b.grad(loss, [V(2)]), 0), adversarial)
    x = torch.randn(4, 3)
    gradient, moved = run(plan, x, module, module.weight)
    expected = x + 0.3 * module.weight.detach().sign()
    assert torch.allclose(moved, expected, atol=1e-6)
    assert torch.allclose(gradient, moved.sum(0, keepdim=True))
    assert recorded(plan, x, module, module.weight) == ["call", "sum"]


def test_a_gradient_through_repeat_records_all_of_it() -> None:
    inner = Builder("tensor", "scalar", "tensor")
    body = inner.body(inner.tanh(inner.mul(V(0), V(2))))
    b = Builder("tensor", "tensor")
    leaf = b.leaf(X)
    loss = b.sum(b.get(b.repeat(5, body, [leaf], [Y]), 0))
    x, w = torch.randn(4), torch.randn(4)
    (found,) = run(b.plan(b.get(b.grad(loss, [leaf]), 0)), x, w)
    state = x_ = x.clone().requires_grad_()
    for _ in range(5):
        state = (state * w).tanh()
    assert torch.equal(found, torch.autograd.grad(state.sum(), [x_])[0])


def test_a_gradient_flows_through_captures_of_a_repeat() -> None:
    inner = Builder("tensor", "scalar", "tensor")
    body = inner.body(inner.add(V(0), inner.square(V(2))))
    b = Builder("tensor", "tensor")
    leaf = b.leaf(Y)
    loss = b.sum(b.get(b.repeat(3, body, [X], [b.exp(leaf)]), 0))
    x, w = torch.randn(4), torch.randn(4)
    (found,) = run(b.plan(b.get(b.grad(loss, [leaf]), 0)), x, w)
    assert torch.allclose(found, 6 * (2 * w).exp())


def test_a_body_takes_gradients_of_an_outer_leaf_again_and_again() -> None:
    # The outer graph is reached from every iteration, so it must be recorded and kept.
    inner = Builder("tensor", "scalar", "tensor", "tensor")
    loss = inner.sum(inner.mul(V(2), V(0)))
    body = inner.body(inner.get(inner.grad(loss, [V(3)]), 0))
    b = Builder("tensor", "tensor")
    leaf = b.leaf(X)
    features = b.exp(leaf)
    found = run(b.plan(b.get(b.repeat(3, body, [Y], [features, leaf]), 0)), torch.tensor([0.5, -1.0]), torch.ones(2))
    assert torch.allclose(found[0], torch.tensor([0.5, -1.0]).exp() ** 3)


def test_carries_do_not_drag_graphs_along() -> None:
    inner = Builder("tensor", "tensor", "scalar")
    leaf = inner.leaf(V(0))
    loss = inner.sum(inner.square(leaf))
    g = inner.get(inner.grad(loss, [leaf]), 0)
    body = inner.body(inner.sub(V(0), inner.mul(g, 0.1)), loss)
    b = Builder("tensor", "tensor")
    state = b.repeat(4, body, [X, Y], [])
    x, loss_value = run(b.plan(b.get(state, 0), b.get(state, 1)), torch.ones(2), torch.tensor(0.0))
    assert torch.allclose(x, torch.full((2,), 0.8**4))
    assert loss_value.item() == pytest.approx(2 * 0.8**6)


def test_an_unused_leaf_is_refused_before_anything_runs() -> None:
    b = Builder("tensor", "tensor")
    leaf, other = b.leaf(X), b.leaf(Y)
    grads = b.grad(b.sum(leaf), [leaf, other])
    with pytest.raises(
        PlanError, match=r"^Expected the loss to depend on `wrt\[1\]` \(value 3\), got one that does not$"
    ) as caught:
        program(b.plan(b.get(grads, 0)))
    assert (caught.value.op, caught.value.node, caught.value.loc) == ("grad", 3, "script.ts:4:1")


def test_an_unused_parameter_is_named() -> None:
    module = nn.Linear(3, 2)
    b = Builder("tensor", "module", "tensor")
    plan = b.plan(b.get(b.grad(b.sum(b.call(Y, X, "eval")), [V(2)]), 0))
    with pytest.raises(NodeError) as caught:
        run(plan, torch.ones(1, 3), module, nn.Parameter(torch.ones(7)))
    assert str(caught.value.__cause__) == "Expected the loss to depend on `wrt[0]` (float32[7]), got one that does not"


def test_a_plain_tensor_is_no_leaf() -> None:
    b = Builder("tensor")
    plan = b.plan(b.get(b.grad(b.sum(X), [X]), 0))
    with pytest.raises(NodeError) as caught:
        run(plan, torch.ones(3))
    assert "float32[3] without gradient; pass it through `leaf` first" in str(caught.value.__cause__)


def test_an_intermediate_is_no_leaf() -> None:
    b = Builder("tensor")
    middle = b.exp(b.leaf(X))
    with pytest.raises(PlanError, match="Expected `wrt\\[0\\]` to be a leaf or a parameter, got the result of `exp`"):
        program(b.plan(b.get(b.grad(b.sum(middle), [middle]), 0)))


def test_a_loss_must_be_a_scalar() -> None:
    b = Builder("tensor")
    leaf = b.leaf(X)
    with pytest.raises(NodeError) as caught:
        run(b.plan(b.get(b.grad(b.exp(leaf), [leaf]), 0)), torch.ones(3))
    assert str(caught.value.__cause__) == "Expected the loss to be a 0-d tensor, got float32[3]"
