"""A worker process over a real socket (PROTOCOL.md, "Channels")."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
import torch
from builder import Builder, V
from child import Child

from feynkac_worker import codec, optable


def test_a_session_from_hello_to_bye(child: Child) -> None:
    welcome = child.hello()
    assert welcome["opTableHash"] == optable.HASH and welcome["pid"] == child.process.pid
    assert welcome["threads"] == 1 and welcome["device"] == "cpu"
    b = Builder("tensor", "scalar", "tensor")
    plan = b.plan(b.print(b.matmul(b.mul(V(0), V(1)), V(2)), "product"))
    x, w = torch.randn(2, 3), torch.randn(3, 4)
    child.send(
        [4, child.next(), 1, 0, "float32", [2, 3]],
        [4, child.next(), 2, 1, "float32", [3, 4]],
        [1, child.next(), 1, 2],
        [2, child.next(), 1, 1, [2]],
        [3, child.next(), 1, [1, ["f", 0.5]], [3], 0],
        [5, child.next(), "data", [3]],
        payloads=(x.numpy().tobytes(), w.numpy().tobytes(), plan),
    )
    value, content = child.answer()
    assert value == [["float32", [2, 4], 0]] and content == ((x * 0.5) @ w).numpy().tobytes()
    child.send([3, child.next(), 1, [2, ["f", 0.5]], [4], 0])
    assert child.answer()["class"] == "TorchOpError"
    child.send([6, [1, 3, 4]], [5, child.next(), "items", [4]])
    assert child.answer()["class"] == "ProtocolError"
    child.router.send_multipart([child.identity, b"\xc1garbage", b"more"])
    assert child.answer()["class"] == "ProtocolError"
    child.send([8, child.next()])
    assert child.answer() is None
    child.send([9, child.next()])
    assert child.answer() is None
    code, stderr = child.end()
    assert code == 0 and "product  float32[2, 4]  min" in stderr and "(script.ts:3:1)" in stderr


def test_a_wrong_token_is_refused(child: Child) -> None:
    error = child.hello("f" * 32)
    assert (error["class"], error["message"]) == ("ProtocolError", "Expected the session's token, got another")
    assert child.end() == (78, "feynkac: Expected the session's token, got another\n")


def test_a_large_tensor_makes_the_round_trip(shared: Child) -> None:
    data = torch.arange(3_000_000, dtype=torch.int32).numpy().tobytes()
    shared.send([4, shared.next(), 1, 0, "int32", [3_000_000]], [5, shared.next(), "data", [1]], payloads=(data,))
    value, content = shared.answer()
    shared.send([6, [1]])
    assert value == [["int32", [3_000_000], 0]] and content == data


def test_ping_tells_what_runs_and_cancel_stops_it(shared: Child) -> None:
    shared.control({"ping": 1})
    idle = shared.pong()
    assert (idle["pong"], idle["running"], idle["op"]) == (1, None, None) and idle["rssBytes"] > 10_000_000
    inner = Builder("tensor", "scalar")
    b = Builder("tensor")
    plan = b.plan(b.get(b.repeat(1_000_000_000, inner.body(inner.mul(V(0), 0.5)), [V(0)], []), 0))
    shared.send([4, shared.next(), 1, 0, "float32", [1]], [1, shared.next(), 7, 1], payloads=(bytes(4), plan))
    shared.send([2, shared.next(), 7, 7, []], [3, shared.next(), 7, [1], [2], 0])
    busy: Any = None
    while busy is None or busy["running"] != shared.seq or busy["op"] is None:
        shared.control({"ping": 2})
        busy = shared.pong()
    assert busy["op"] in ("repeat", "mul") and busy["sinceMs"] >= 0
    shared.control({"cancel": shared.seq})
    error = shared.answer()
    assert (error["class"], error["rootSeq"]) == ("CancelledError", shared.seq)
    shared.send([5, shared.next(), "items", [1]])
    assert shared.answer() == [0.0]
    shared.send([6, [1, 2]])


def test_a_message_that_is_too_large_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    child = Child(tmp_path_factory.mktemp("w"), limits={"messageBytes": 1000})
    try:
        child.hello()
        child.send([8, child.seq + 1], payloads=(bytes(1000),))
        assert child.answer()["message"].startswith("Expected a message of at most 1000 bytes, got 10")
        child.send([8, child.next()])
        assert child.answer() is None
    finally:
        child.close()


def test_a_line_that_is_no_control_line_is_ignored(shared: Child) -> None:
    assert shared.process.stdin is not None
    shared.process.stdin.write(b"{\n[1]\n\n")
    shared.control({"ping": 4})
    assert shared.pong()["pong"] == 4


def test_prints_of_user_code_do_not_reach_the_control_channel(child: Child) -> None:
    child.hello()
    child.call("fault.flood", bytes=200)
    assert child.answer() == {}
    child.control({"ping": 5})
    assert child.pong()["pong"] == 5
    child.send([9, child.next()])
    assert "flood flood" in child.end()[1]


def test_out_of_memory_is_survived(shared: Child) -> None:
    shared.call("fault.oom")
    assert shared.answer()["class"] == "OutOfMemoryError"
    shared.send([8, shared.next()])
    assert shared.answer() is None


def test_faults_are_off_unless_asked_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    child = Child(tmp_path_factory.mktemp("w"), faults=False)
    try:
        child.hello()
        child.call("fault.exit")
        message = child.answer()["message"]
        assert message.startswith("Expected a method of checkpoint.") and "fault." not in message.split("got")[0]
    finally:
        child.close()


def test_memory_stays_flat_over_many_runs(shared: Child) -> None:
    b = Builder("tensor")
    leaf = b.leaf(V(0))
    plan = b.plan(b.get(b.grad(b.sum(b.square(leaf)), [leaf]), 0))
    size = 25_000
    shared.send([4, shared.next(), 1, 0, "float32", [size]], [1, shared.next(), 1, 1], payloads=(bytes(4 * size), plan))
    shared.send([2, shared.next(), 1, 1, []])

    def burst() -> int:
        for _ in range(40):
            items: list[Any] = []
            for _ in range(50):
                items += [[3, shared.next(), 1, [1], [2], 0], [6, [2]], [3, shared.next(), 1, [99], [3], 0], [6, [3]]]
            shared.send(*items)
        shared.send([7, shared.next(), "device.memory", {}, [], []])
        while True:
            items, _ = shared.receive()
            for kind, seq, *value in items:
                if kind == 0 and seq == shared.seq:
                    assert value[0]["handles"] == 1
                    return int(value[0]["rssBytes"])

    burst()
    before = burst()
    after = max(burst() for _ in range(3))
    # Half of the runs fail; one leaked tensor a run would be 200 MB.
    assert after - before < 20_000_000, (before, after)


def test_msgpack_reads_what_the_client_writes() -> None:
    assert codec.decode_header(msgpack.packb([1, [[8, 1]]])) == [[8, 1]]
