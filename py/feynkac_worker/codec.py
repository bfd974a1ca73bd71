"""The header frame: strict msgpack, `[1, items]` both ways (PROTOCOL.md, "Messages")."""

from __future__ import annotations

from typing import Any, NoReturn

import msgpack  # type: ignore[import-untyped]

from feynkac_worker.errors import ProtocolError

MAJOR, MINOR = 1, 0
MAX_DEPTH = 64
MAX_ITEMS = 256

_PLAIN = frozenset({str, int, float, bool, bytes, type(None)})
_packer = msgpack.Packer(use_bin_type=True)


def _refuse_ext(code: int, data: bytes) -> NoReturn:
    raise ValueError(f"extension type {code}")


def _decode(data: bytes | memoryview) -> Any:
    try:
        return msgpack.unpackb(data, raw=False, strict_map_key=True, use_list=True, timestamp=0, ext_hook=_refuse_ext)
    # ValueError covers UnicodeDecodeError and most of msgpack's own; TypeError is an unhashable key.
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        detail = str(error) or type(error).__name__
        raise ProtocolError(f"Expected a well-formed msgpack value, got {detail}") from None


def check(value: Any) -> None:
    """Raises ProtocolError for nesting deeper than 64, and for types that the wire does not have (timestamps)."""
    level, depth = [value], 0
    while level:
        if depth > MAX_DEPTH:
            raise ProtocolError(f"Expected a value nested at most {MAX_DEPTH} deep")
        below: list[Any] = []
        for item in level:
            kind = type(item)
            if kind is list:
                below += item
            elif kind is dict:
                below += item.values()
            elif kind not in _PLAIN:
                raise ProtocolError(f"Expected a msgpack value without extension types, got {kind.__name__}")
        level, depth = below, depth + 1


def decode(data: bytes | memoryview) -> Any:
    """One value. Raises ProtocolError for malformed or trailing bytes, ext types, deep nesting."""
    value = _decode(data)
    check(value)
    return value


def decode_header(data: bytes | memoryview) -> list[Any]:
    """The items of a header. Their depth is not walked: commands are flat, and CALL checks its params itself."""
    header = _decode(data)
    if type(header) is not list or len(header) != 2 or type(header[1]) is not list:
        raise ProtocolError("Expected the header to be `[major, items]`")
    if type(header[0]) is not int or header[0] != MAJOR:
        raise ProtocolError(f"Expected protocol major {MAJOR}, got `{str(header[0])[:60]}`")
    items: list[Any] = header[1]
    if len(items) > MAX_ITEMS:
        raise ProtocolError(f"Expected at most {MAX_ITEMS} items in a message, got {len(items)}")
    return items


def encode(value: Any) -> bytes:
    """msgpack bytes of one value. Raises ProtocolError for what the wire does not have (sets, wide integers)."""
    try:
        return bytes(_packer.pack(value))
    except (TypeError, ValueError, OverflowError) as error:
        _packer.reset()
        raise ProtocolError(f"Expected a value that msgpack can carry, got {error}") from None


def encode_header(items: list[Any]) -> bytes:
    """The header frame of `items`."""
    return encode([MAJOR, items])
