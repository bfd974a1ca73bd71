"""What a failure leaves behind (PROTOCOL.md, "Poison"), and what it does not touch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from builder import Builder, Client, V
from torch import nn

from feynkac_worker.services import SERVICES

X, Y, Z = V(0), V(1), V(2)


def product() -> bytes:
    b = Builder("tensor", "tensor")
    return b.plan(b.matmul(X, Y))


def double() -> bytes:
    b = Builder("tensor")
    return b.plan(b.mul(X, 2))


@pytest.fixture
def client() -> Client:
    c = Client()
    c.put(1, torch.ones(2, 3))
    c.put(2, torch.ones(2, 3))
    c.put(3, torch.ones(3, 2))
    c.ready(1, product())
    c.ready(2, double())
    c.sent.clear()
    return c


def test_one_error_reaches_the_client_and_dependents_are_silent(client: Client) -> None:
    root = client.run(1, [1, 2], [10])
    (error,) = client.errors()
    assert error == {
        "class": "TorchOpError",
        "message": "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)",
        "rootSeq": root,
        "plan": "test",
        "op": "matmul",
        "node": 0,
        "loc": "script.ts:1:1",
        "inputs": ["float32[2, 3]", "float32[2, 3]"],
        "traceback": "",
    }
    client.run(2, [10], [11])
    client.run(1, [11, 3], [12])
    assert client.errors() == []
    assert client.items(12) == error
    # What does not depend on it goes on.
    client.run(1, [1, 3], [13])
    assert client.tensor(13).tolist() == [[3, 3], [3, 3]]


def test_every_read_of_poison_is_answered_by_the_root(client: Client) -> None:
    root = client.run(1, [1, 2], [10])
    client.sent.clear()
    for command in (["data", [10]], ["items", [1, 10]]):
        client.send([5, client.next(), *command])
        assert client.last()["rootSeq"] == root
    assert client.call("generator.create", {"seed": 1}, [10], [20])["rootSeq"] == root
    assert client.items(20)["rootSeq"] == root


def test_free_of_poison_is_fine_and_frees_the_name(client: Client) -> None:
    client.run(1, [1, 2], [10])
    client.sent.clear()
    client.free(10, 10, 99)
    client.run(2, [1], [10])
    assert client.errors() == [] and client.tensor(10).sum() == 12


def test_an_assigned_slot_is_poisoned_with_everything_that_shares_it(client: Client) -> None:
    module = client.adopt(20, nn.Linear(3, 2))
    client.adopt(21, module.weight)
    client.adopt(22, module.bias)
    b = Builder("tensor", "tensor", "tensor")
    b.assign(Z, b.matmul(X, Y))
    client.ready(5, b.plan(), 21)
    root = client.run(5, [1, 2], [])
    assert [e["rootSeq"] for e in client.errors()] == [root]
    assert {h for h, e in client.session.handles.poison.items() if e.root_seq == root} == {20, 21}


def test_a_failed_step_poisons_the_optimizer_and_its_parameters(client: Client) -> None:
    module = client.adopt(20, nn.Linear(3, 2))
    client.adopt(21, module.weight)
    client.adopt(22, module.bias)
    client.adopt(23, torch.optim.SGD([module.weight], lr=0.0))
    b = Builder("tensor", "optimizer")
    b.optimizer_step(Y, [X], 0.1)
    client.ready(5, b.plan(), 23)
    client.run(5, [3], [])
    assert set(client.session.handles.poison) == {20, 21, 23}


def test_a_failed_train_call_poisons_the_module_and_its_buffers(client: Client) -> None:
    module = client.adopt(20, nn.BatchNorm1d(3))
    client.adopt(21, module.weight)
    client.adopt(22, module.running_mean)
    b = Builder("tensor", "tensor", "module")
    b.matmul(b.call(Z, X, "train"), Y)
    b.check_finite(b.matmul(b.call(Z, X, "train"), Y), "loss")
    client.ready(5, b.plan(), 20)
    client.run(5, [1, 2], [])
    assert set(client.session.handles.poison) == {20, 22}


def test_an_eval_call_poisons_nothing(client: Client) -> None:
    client.adopt(20, nn.BatchNorm1d(3))
    b = Builder("tensor", "tensor", "module")
    client.ready(5, b.plan(b.matmul(b.call(Z, X, "eval"), Y)), 20)
    client.run(5, [1, 2], [10])
    assert set(client.session.handles.poison) == {10}


def test_a_silent_failure_poisons_its_targets_too(client: Client) -> None:
    client.put(30, torch.zeros(2, 3))
    b = Builder("tensor", "tensor")
    b.assign(Y, X)
    client.ready(5, b.plan(), 30)
    root = client.run(1, [1, 2], [10])
    client.run(5, [10], [])
    assert client.items(30)["rootSeq"] == root


def test_the_first_error_stays_the_root(client: Client) -> None:
    root = client.run(1, [1, 2], [10])
    client.run(1, [2, 1], [11])
    b = Builder("tensor", "tensor")
    b.assign(X, Y)
    client.put(30, torch.zeros(1))
    client.ready(5, b.plan())
    client.run(5, [30, 10], [])
    client.run(5, [30, 11], [])
    assert client.items(30)["rootSeq"] == root


def test_state_load_heals_what_it_restores(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    module = client.adopt(20, nn.Linear(3, 2))
    client.adopt(21, module.weight)
    client.adopt(22, torch.optim.SGD([module.weight], lr=0.0))
    b = Builder("tensor", "optimizer")
    b.optimizer_step(Y, [X], 0.1)
    client.ready(5, b.plan(), 22)
    client.run(5, [3], [])
    assert set(client.session.handles.poison) == {20, 21, 22}
    restored: list[Any] = []
    monkeypatch.setitem(SERVICES, "state.load", lambda context, params, inputs: (restored.extend(inputs), ({}, []))[1])
    client.call("state.load", {}, [20])
    assert restored == [module] and set(client.session.handles.poison) == {22}
    client.call("state.load", {}, [22])
    assert not client.session.handles.poison
    client.sent.clear()
    client.put(31, torch.ones(2, 3))
    client.run(5, [31], [])
    assert client.errors() == []


def test_a_failed_plan_fails_its_runs_silently(client: Client) -> None:
    client.define(7, b"\x93")
    (error,) = client.errors()
    assert error["class"] == "ProtocolError"
    client.bind(7, 7)
    client.run(7, [1], [40])
    assert client.errors() == []
    assert client.items(40)["rootSeq"] == error["rootSeq"]


def test_a_binding_to_lost_handles_fails_its_runs_silently(client: Client) -> None:
    root = client.run(1, [1, 2], [10])
    client.sent.clear()
    client.bind(8, 2, 10)
    client.run(8, [], [41])
    assert client.errors() == []
    assert client.items(41)["rootSeq"] == root


def test_an_error_inside_a_body_names_the_inner_node(client: Client) -> None:
    inner = Builder("tensor", "scalar", "tensor")
    body = inner.body(inner.matmul(V(0), V(2)))
    b = Builder("tensor", "tensor")
    client.ready(5, b.plan(b.get(b.repeat(3, body, [X], [Y]), 0)))
    client.run(5, [1, 2], [10])
    (error,) = client.errors()
    assert (error["op"], error["node"], error["loc"]) == ("matmul", 0, "script.ts:1:1")


def test_a_traceback_shows_the_frames_of_others(client: Client) -> None:
    class Broken(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise KeyError("nowhere")

    client.adopt(20, Broken())
    b = Builder("tensor", "module")
    client.ready(5, b.plan(b.call(Y, X, "eval")), 20)
    client.run(5, [1], [10])
    (error,) = client.errors()
    assert error["message"] == "KeyError: 'nowhere'"
    assert "in forward" in error["traceback"] and "executor.py" not in error["traceback"]


def test_out_of_memory_has_its_own_class_and_a_pure_plan_is_tried_twice(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = {"exp": 0}
    from feynkac_worker.ops import TARGETS, Target

    def scarce(x: torch.Tensor) -> torch.Tensor:
        attempts["exp"] += 1
        if attempts["exp"] < 2:
            torch.empty(1 << 60, dtype=torch.uint8)
        return x.exp()

    monkeypatch.setitem(TARGETS, "exp", Target(scarce))
    b = Builder("tensor")
    client.ready(5, b.plan(b.exp(X)))
    client.run(5, [1], [10])
    assert client.errors() == [] and attempts["exp"] == 2 and client.tensor(10).shape == (2, 3)
    attempts["exp"] = -9
    b = Builder("tensor")
    client.ready(6, b.plan(b.print(b.exp(X), "x")))
    client.run(6, [1], [11])
    (error,) = client.errors()
    assert error["class"] == "OutOfMemoryError" and attempts["exp"] == -8, "a plan with effects runs once"


def test_wrong_arguments_are_refused_and_poison(client: Client) -> None:
    for args, message in (
        ([1], "Expected 2 arguments, got 1"),
        ([1, 99], "Expected a bound handle, got `99`"),
        ([1, ["l", [2]]], "Expected input 1 to be tensor, got `['l', [2]]`"),
        ([1, True], "Expected input 1 to be tensor, got `True`"),
        ([1, ["i", "1e9"]], "Expected input 1 to be tensor, got `['i', '1e9']`"),
        ([1, None], "Expected input 1 to be tensor, got `None`"),
    ):
        client.run(1, args, [50])
        (error,) = client.errors()
        assert (error["message"], error["plan"]) == (message, "test")
        assert client.items(50)["message"] == message
        client.free(50)
        client.sent.clear()
    client.adopt(60, nn.Linear(1, 1))
    client.run(1, [60, 1], [51])
    assert client.errors()[0]["message"] == "Expected input 0 to be tensor, got a module"


def test_outputs_must_be_free_different_and_as_many_as_the_plan_gives(client: Client) -> None:
    for outputs, message in (
        ([], "Expected 1 output handles, got 0"),
        ([50, 51], "Expected 1 output handles, got 2"),
        ([1], "Expected a free handle, got 1, which is bound already"),
        ([-1], "Expected a handle to be an integer in [0, 2^32), got `-1`"),
        ([2**32], "Expected a handle to be an integer in [0, 2^32), got `4294967296`"),
        ([1.0], "Expected a handle to be an integer in [0, 2^32), got `1.0`"),
    ):
        client.run(1, [1, 3], outputs)
        assert client.errors()[0]["message"] == message
    assert client.tensor(1).tolist() == [[1, 1, 1], [1, 1, 1]]
    client.run(1, [1, 3], [2**32 - 1])
    assert client.tensor(2**32 - 1).tolist() == [[3, 3], [3, 3]]


def test_a_captured_handle_that_was_freed_is_gone(client: Client) -> None:
    client.bind(9, 1, 3)
    client.run(9, [1], [50])
    client.free(3)
    client.run(9, [1], [51])
    assert client.errors()[0]["message"] == "Expected every captured handle to live, got 3, which was freed"


def test_the_number_of_handles_is_limited() -> None:
    client = Client(handles=3)
    client.ready(1, double())
    client.put(1, torch.ones(1))
    client.run(1, [1], [2])
    client.run(1, [1], [3])
    client.sent.clear()
    client.run(1, [1], [4])
    assert client.errors()[0]["message"] == "Expected at most 3 handles, got more"


def test_plans_with_the_same_code_share_a_program_but_not_their_locations(client: Client) -> None:
    b = Builder("tensor", "tensor")
    result = b.matmul(X, Y)
    raw = b.raw(result)
    from feynkac_worker import codec

    client.ready(11, codec.encode([*raw[:4], "other", ["elsewhere.ts:9:9"]]))
    assert client.session.plans[11].program is client.session.plans[1].program
    client.run(11, [1, 2], [50])
    (error,) = client.errors()
    assert (error["plan"], error["loc"]) == ("other", "elsewhere.ts:9:9")
