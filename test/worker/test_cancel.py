"""Cancellation between commands and between iterations (PROTOCOL.md, "Cancellation")."""

from __future__ import annotations

import torch
from builder import Builder, Client, V
from torch import Tensor, nn

X, Y = V(0), V(1)


def plan() -> bytes:
    b = Builder("tensor")
    return b.plan(b.mul(X, 2))


def ready() -> Client:
    c = Client()
    c.put(1, torch.ones(2))
    c.ready(1, plan())
    c.sent.clear()
    return c


def test_a_cancelled_range_reports_one_error() -> None:
    c = ready()
    first = c.seq + 1
    c.progress.cancelled = first + 2
    for h in (10, 11, 12):
        c.run(1, [1], [h])
    (error,) = c.errors()
    assert (error["class"], error["rootSeq"]) == ("CancelledError", first)
    assert c.session.handles.poison[12].root_seq == first + 2
    c.run(1, [1], [13])
    assert c.errors() == [] and c.tensor(13).tolist() == [2, 2]
    assert c.items(10)["class"] == "CancelledError"


def test_whoever_waits_for_a_cancelled_answer_gets_one() -> None:
    c = ready()
    c.progress.cancelled = c.seq + 4
    c.run(1, [1], [10])
    assert c.items(1)["class"] == "CancelledError"
    assert c.items(1)["rootSeq"] == c.seq
    assert c.call("generator.create", {"seed": 1}, [], [20])["class"] == "CancelledError"
    assert c.items(20)["class"] == "CancelledError"


def test_definitions_survive_a_cancellation() -> None:
    # The client keeps its plans; a cancelled definition would fail every later run.
    c = ready()
    c.progress.cancelled = c.seq + 2
    c.ready(2, plan())
    c.run(2, [1], [10])
    assert c.errors() == [] and c.tensor(10).tolist() == [2, 2]


def test_a_barrier_is_answered_all_the_same() -> None:
    c = ready()
    c.progress.cancelled = c.seq + 1
    c.send([8, c.next()])
    assert c.last() is None


def test_repeat_stops_between_iterations_and_poisons_what_it_changed() -> None:
    c = ready()

    class Counter(nn.Module):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            if self.calls == 3:
                c.progress.cancelled = c.seq
            return x

    module = c.adopt(20, Counter())
    c.put(21, torch.zeros(2))
    inner = Builder("tensor", "scalar", "module", "tensor")
    moved = inner.call(V(2), V(0), "eval")
    inner.assign(V(3), inner.add(V(3), 1))
    b = Builder("tensor", "module", "tensor")
    c.ready(3, b.plan(b.get(b.repeat(100, inner.body(moved), [X], [Y, V(2)]), 0)), 20, 21)
    c.sent.clear()
    root = c.run(3, [1], [30])
    assert module.calls == 3
    (error,) = c.errors()
    assert (error["class"], error["rootSeq"], error["message"]) == (
        "CancelledError",
        root,
        "The client cancelled the command",
    )
    assert set(c.session.handles.poison) == {21, 30}
    c.run(1, [1], [31])
    assert c.errors() == []


def test_a_later_cancellation_is_reported_again() -> None:
    c = ready()
    for h in (10, 11):
        c.progress.cancelled = c.seq + 1
        root = c.run(1, [1], [h])
        assert [e["rootSeq"] for e in c.errors()] == [root]
