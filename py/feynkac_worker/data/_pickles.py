"""Reads the pickles of CIFAR's python version without running anything they name.

Only the opcodes and names that such files need are let through, and the names stand for inert records: no numpy or
Python callable is ever called by a file. Official files are protocol 2 of Python 2 (read with bytes keys); copies
written by Python 3 at protocols 2 to 4 are read too.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from collections.abc import Callable
from typing import Any

import numpy as np

from feynkac_worker.data._dataset import Array
from feynkac_worker.errors import ServiceError

_OPCODES = """
PROTO FRAME STOP MARK GLOBAL STACK_GLOBAL REDUCE BUILD EMPTY_DICT EMPTY_LIST EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3
APPEND APPENDS SETITEM SETITEMS BINPUT LONG_BINPUT MEMOIZE BINGET LONG_BINGET NONE NEWTRUE NEWFALSE BININT BININT1
BININT2 LONG1 SHORT_BINSTRING BINSTRING SHORT_BINBYTES BINBYTES BINBYTES8 BINUNICODE SHORT_BINUNICODE
"""
_ALLOWED = frozenset(_OPCODES.split())


class _Array:
    """What a file says about an array; turned into a real one only after its parts were checked."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Dtype:
    def __init__(self, code: Any, *_: Any) -> None:
        self.code = code

    def __setstate__(self, state: Any) -> None:
        """Byte order and alignment say nothing about single bytes."""


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _encode(text: Any, codec: Any) -> bytes:
    """How Python 3 writes bytes at protocol 2."""
    if type(text) is str and codec in ("latin1", b"latin1"):
        return text.encode("latin1")
    raise pickle.UnpicklingError("bytes in an unknown encoding")


class _Named:
    """Stands for a callable that a file names; the slots keep the file from setting attributes of ours."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *args: Any) -> Any:
        return self._call(*args)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("a change of a named object")


_NAMES: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _Named(_reconstruct),
    ("numpy._core.multiarray", "_reconstruct"): _Named(_reconstruct),
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): _Named(_Dtype),
    ("_codecs", "encode"): _Named(_encode),
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str, /) -> Any:
        try:
            return _NAMES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"a reference to `{module}.{name}`") from None


def read(file: str, data: bytes) -> dict[bytes, Any]:
    """The dict that a batch file holds, text keys as bytes, arrays as uint8 arrays (read-only).

    ServiceError: damaged data, any other content, any name or opcode outside the short list above.
    """
    try:
        _scan(data)
        value = _Unpickler(io.BytesIO(data), encoding="bytes").load()
        if type(value) is not dict:
            raise pickle.UnpicklingError(f"a {type(value).__name__} at the top")
        return {_key(key): _array(item) if isinstance(item, _Array) else item for key, item in value.items()}
    except Exception as error:  # whatever a damaged pickle raises is the file's fault
        reason = str(error) or type(error).__name__
        raise ServiceError(
            f"Expected `{file}` to be a pickled dict of uint8 arrays, lists and strings, got {reason}"
        ) from None


def _scan(data: bytes) -> None:
    """Refuse foreign opcodes, and memo indices that would make the unpickler allocate gigabytes."""
    for opcode, argument, position in pickletools.genops(data):
        if opcode.name not in _ALLOWED:
            raise pickle.UnpicklingError(f"the opcode {opcode.name} at byte {position}")
        if opcode.name == "LONG_BINPUT" and (argument or 0) > len(data):
            raise pickle.UnpicklingError(f"the memo index {argument} at byte {position}")


def _key(key: Any) -> bytes:
    if type(key) is str:
        return key.encode()
    if type(key) is bytes:
        return key
    raise pickle.UnpicklingError(f"a {type(key).__name__} as key")


def _array(array: _Array) -> Array:
    match array.state:
        case (int(), tuple(shape), _Dtype(code="u1" | b"u1"), (False | 0), bytes(raw)):
            if all(type(size) is int and size >= 0 for size in shape) and math.prod(shape) == len(raw):
                return np.frombuffer(raw, np.uint8).reshape(shape)
    raise pickle.UnpicklingError("an array that is not row-major uint8 or lacks data")
