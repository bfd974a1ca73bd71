"""What the decoder refuses (PROTOCOL.md, "Messages")."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest

from feynkac_worker import codec
from feynkac_worker.errors import ProtocolError

REFUSED: list[tuple[str, bytes]] = [
    ("empty", b""),
    ("truncated", b"\x92\x01"),
    ("trailing", codec.encode([1, []]) + b"\x00"),
    ("ext", msgpack.packb(msgpack.ExtType(5, b"x"))),
    ("undefined of msgpackr", b"\xd4\x00\x00"),
    ("record of msgpackr", b"\xd4\x72\x40\x91\xa1a\x01"),
    ("timestamp", msgpack.packb(msgpack.Timestamp(1))),
    ("integer key", msgpack.packb({1: 2})),
    ("text that is not UTF-8", b"\xa2\xff\xfe"),
    ("unused byte", b"\xc1"),
    ("nesting", b"\x91" * 70 + b"\x01"),
    ("deep nesting", b"\x91" * 100_000 + b"\x01"),
    ("nested maps", b"\x81\xa1a" * 70 + b"\x01"),
]


@pytest.mark.parametrize("data", [case[1] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError, match=r"^Expected"):
        codec.decode(data)


def test_sixty_four_levels_are_fine() -> None:
    value: Any = 1
    for _ in range(64):
        value = [value]
    assert codec.decode(codec.encode(value)) == value
    with pytest.raises(ProtocolError):
        codec.decode(codec.encode([value]))


@pytest.mark.parametrize(
    "value", [[], [1], [2, []], [True, []], [1, [], 3], {"a": 1}, [1, {}], [1.0, []], [1, [[8, 1]] * 257]]
)
def test_headers_have_one_shape(value: Any) -> None:
    with pytest.raises(ProtocolError, match=r"^Expected"):
        codec.decode_header(codec.encode(value))


@pytest.mark.parametrize("value", [object(), {1, 2}, 2**64, "\ud800"])
def test_what_the_wire_cannot_carry_is_not_encoded(value: Any) -> None:
    with pytest.raises(ProtocolError, match=r"^Expected a value that msgpack can carry"):
        codec.encode([1, value])
    assert codec.encode([1, []]) == b"\x92\x01\x90", "the encoder starts afresh"
