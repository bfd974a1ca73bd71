"""Mutated plans and headers: only PlanError and ProtocolError, and the worker goes on (interop.md, pitfall 7)."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from builder import Builder, Client, V
from mutate import mutate_bytes, mutate_tree
from test_validation import sample
from wire import Wire, commands

from feynkac_worker import codec
from feynkac_worker.errors import PlanError, ProtocolError
from feynkac_worker.executor import Runtime
from feynkac_worker.plan import decode
from feynkac_worker.program import Program

MUTATIONS = 2000


def try_plan(data: bytes) -> str:
    try:
        Program(decode(data, max_nodes=1000), Runtime())
    except (PlanError, ProtocolError) as error:
        return type(error).__name__
    return "accepted"


def test_mutated_plans_are_refused_or_well_formed() -> None:
    rng = random.Random(1)
    plan, outcomes = sample(), {"PlanError": 0, "ProtocolError": 0, "accepted": 0}
    data = codec.encode(plan)
    for i in range(MUTATIONS):
        changed = mutate_bytes(rng, data) if i % 2 else codec.encode(mutate_tree(rng, plan))
        outcomes[try_plan(changed)] += 1
    assert sum(outcomes.values()) == MUTATIONS and all(outcomes.values()), outcomes


@pytest.fixture
def client() -> Client:
    c = Client(limits={"planNodes": 1000, "tensorBytes": 1 << 20, "messageBytes": 1 << 20}, handles=1000)
    c.put(1, torch.ones(2))
    b = Builder("tensor", "scalar")
    c.ready(1, b.plan(b.mul(V(0), V(1))))
    c.sent.clear()
    return c


def test_mutated_headers_leave_the_worker_alive(client: Client) -> None:
    rng = random.Random(2)
    classes: set[str] = set()
    payloads = [memoryview(codec.encode(sample())), memoryview(bytes(8))]
    from feynkac_worker.worker import handle

    for i in range(MUTATIONS):
        items: list[Any] = [item for item in commands(client.session.seq) if item[0] != 9]
        tree = [1, items]
        data = mutate_bytes(rng, codec.encode(tree)) if i % 2 else codec.encode(mutate_tree(rng, tree))
        with torch.no_grad():
            handle(client.session, data, payloads)
        classes |= {error["class"] for error in client.errors()}
        if client.session.closing:
            client.session.closing = False
        # Keep the state small, and the handle that the commands use in place.
        objects = client.session.handles.objects
        client.session.handles.poison.clear()
        for h in [*objects]:
            if h != 1:
                client.session.handles.free(h)
        objects.setdefault(1, torch.ones(2))
        for table in (
            client.session.plans,
            client.session.bounds,
            client.session.lost_plans,
            client.session.lost_bounds,
        ):
            for key in [key for key in table if key != 1]:
                del table[key]
    assert "ProtocolError" in classes and "PlanError" in classes
    assert classes <= {"ProtocolError", "PlanError", "ServiceError", "TorchOpError"}, classes
    client.seq = client.session.seq
    assert client.items(1) in ([1.0], None) or client.last()["class"] == "ProtocolError"
    client.put(7, torch.tensor(2.0))
    assert client.items(7) == [2.0]


def test_a_worker_in_its_own_process_survives_mutated_messages() -> None:
    rng, wire = random.Random(3), Wire()
    try:
        for _ in range(300):
            wire.send(wire.message(rng))
        assert wire.worker().process.poll() is None
    finally:
        wire.close()


def test_a_worker_that_obeyed_a_mutated_goodbye_is_replaced() -> None:
    rng, wire = random.Random(4), Wire()
    try:
        first = wire.worker()
        first.send([9, wire.seq + 1])
        assert first.process.wait(60) == 0
        wire.send([b"\x93"])
        wire.send(wire.message(rng))
        assert wire.workers == 2 and wire.worker() is not first
    finally:
        wire.close()


def test_a_length_of_a_gigabyte_allocates_nothing(client: Client) -> None:
    for lead in (b"\xdd", b"\xdf", b"\xc6", b"\xdb", b"\xc9"):
        client.raw(b"\x92\x01" + lead + b"\x40\x00\x00\x00")
        assert client.errors()[0]["class"] == "ProtocolError"


def test_garbage_is_reported_and_acknowledged(client: Client) -> None:
    client.raw(b"\xff\x00garbage")
    assert [item[0] for items, _ in client.sent for item in items] == [1, 2, 2]
    assert client.items(1)["class"] == "ProtocolError"


def test_a_lost_command_is_noticed_and_the_sequence_goes_on(client: Client) -> None:
    client.next()
    client.run(1, [1, ["f", 2.0]], [10])
    (error,) = client.errors()
    assert error["message"] == f"Expected command {client.seq - 1}, got `{client.seq}`"
    assert client.items(10)["class"] == "ProtocolError"
    client.run(1, [1, ["f", 2.0]], [11])
    assert client.tensor(11).tolist() == [2, 2]
