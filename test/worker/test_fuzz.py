"""Mutated plans and headers: only PlanError and ProtocolError, and the worker goes on (interop.md, pitfall 7)."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from builder import Builder, Client, V
from test_validation import sample

from feynkac_worker import codec
from feynkac_worker.errors import PlanError, ProtocolError
from feynkac_worker.executor import Runtime
from feynkac_worker.plan import decode
from feynkac_worker.program import Program

MUTATIONS = 2000
STRANGE: list[Any] = [
    *[
        None,
        True,
        False,
        0,
        1,
        -1,
        2**31,
        2**32,
        2**63,
        -(2**63),
        0.5,
        float("nan"),
        float("inf"),
        "",
        "v",
        "i",
        "tensor",
    ],
    *[
        [],
        [[]],
        ["v", 0],
        ["i", 0],
        ["f", "-0"],
        ["n"],
        ["l", [["v", 0]]],
        ["p", [[], [], []]],
        {},
        {"a": 1},
        b"",
        b"\xff" * 9,
    ],
]


def mutate_bytes(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(changed) + 1)
        how = rng.randrange(5)
        if how == 0 and at < len(changed):
            changed[at] = rng.randrange(256)
        elif how == 1 and at < len(changed):
            del changed[at]
        elif how == 2:
            changed.insert(at, rng.randrange(256))
        elif how == 3:
            changed = changed[:at] or bytearray(b"\x90")
        else:
            # Forged lengths: array32, map32, bin32, str32, ext32.
            changed[at:at] = bytes([rng.choice([0xDD, 0xDF, 0xC6, 0xDB, 0xC9]), 0x40, 0, 0, 0])
    return bytes(changed)


def mutate_tree(rng: random.Random, value: Any) -> Any:
    if isinstance(value, list) and value and rng.random() < 0.9:
        i = rng.randrange(len(value))
        how = rng.randrange(8)
        if how == 0:
            return value[:i] + value[i + 1 :]
        if how == 1:
            return [*value[: i + 1], *value[i:]]
        if how == 2:
            j = rng.randrange(len(value))
            return [value[j] if k == i else value[i] if k == j else item for k, item in enumerate(value)]
        return [mutate_tree(rng, item) if k == i else item for k, item in enumerate(value)]
    if type(value) is int and rng.random() < 0.5:
        return value + rng.choice([-1, 1, 1000])
    return rng.choice(STRANGE)


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


def commands(seq: int) -> list[list[Any]]:
    """One of every kind, with the right sequence numbers."""
    return [
        [1, seq + 1, seq + 10, 0],
        [2, seq + 2, seq + 20, 1, [1]],
        [3, seq + 3, 1, [1, ["f", 0.5]], [seq + 100], 0],
        [4, seq + 4, seq + 101, 1, "float32", [2]],
        [5, seq + 5, "items", [1]],
        [6, [seq + 100]],
        [7, seq + 6, "generator.create", {"seed": 1}, [], [seq + 102]],
        [8, seq + 7],
    ]


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
