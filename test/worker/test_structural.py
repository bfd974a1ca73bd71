"""Module calls, loops, slots, optimizers, checks and the log."""

from __future__ import annotations

import copy
import gc
import weakref
from typing import Any

import pytest
import torch
from builder import Builder, V, program, run
from torch import Tensor, nn

from feynkac_worker import kernels
from feynkac_worker.errors import NodeError, NonFiniteError, PlanError
from feynkac_worker.ops import TARGETS, Target

X, Y, Z = V(0), V(1), V(2)


def cause(caught: pytest.ExceptionInfo[NodeError]) -> str:
    return str(caught.value.__cause__)


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


def test_dropout_is_on_in_train_mode_and_off_in_eval_mode() -> None:
    module = nn.Dropout(0.5)
    b = Builder("tensor", "module")
    dropped, kept = run(b.plan(b.call(Y, X, "train"), b.call(Y, X, "eval")), torch.ones(1000), module)
    assert 300 < int((dropped == 0).sum()) < 700
    assert torch.equal(kept, torch.ones(1000))


def test_number_of_a_tensor_is_its_item() -> None:
    assert kernels.number(torch.tensor(2.5)) == 2.5
    with pytest.raises(ValueError, match="Expected `start` to be an integer, got `True`"):
        kernels.integer(True, "start")
