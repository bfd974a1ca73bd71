"""Damage, from a seed: bytes, trees of values and whole files. The one place where fuzzing changes anything."""

from __future__ import annotations

import random
from typing import Any

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


def damaged(data: bytes, rng: random.Random) -> bytes:
    """One change: the end cut off, a byte of the head or anywhere, bytes put in, a piece removed or copied."""
    kind = rng.randrange(6)
    if kind == 0:
        return data[: rng.randrange(len(data))]
    at = rng.randrange(min(len(data), 200)) if kind == 1 else rng.randrange(len(data))
    length = rng.randrange(1, 24)
    if kind == 3:
        return data[:at] + rng.randbytes(rng.randrange(1, 9)) + data[at:]
    if kind == 4:
        return data[:at] + data[at + length :]
    if kind == 5:
        piece, other = data[at : at + length], rng.randrange(len(data))
        return data[:other] + piece + data[other + rng.choice([0, length]) :]
    changed = bytearray(data)
    changed[at] = rng.randrange(256)
    return bytes(changed)
