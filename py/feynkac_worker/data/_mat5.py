"""MATLAB 5 files, the container of SVHN: a header of 128 bytes, then elements, each with a type and a size.

scipy.io.loadmat is the well-kept reader, but it would bring 38 MB (scipy) to every user for two plain arrays, and it
also builds structs, objects and functions from the file. This reader knows numeric arrays only and refuses the rest.
Format: The MathWorks, "MAT-File Format", chapter "Level 5 MAT-File Format".
"""

from __future__ import annotations

import math
import struct
import zlib
from typing import NamedTuple

import numpy as np

from feynkac_worker.data._dataset import Array
from feynkac_worker.data._files import MAX_BYTES
from feynkac_worker.errors import ServiceError

_HEADER = 128
_ORDERS = {b"IM": "<", b"MI": ">"}
_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 5, 6, 14, 15
# How numbers are stored, and what they are: MATLAB stores a double array of small integers as bytes.
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
_COMPLEX = 0x800


class _DamageError(Exception):
    """What is wrong inside a file; `read` turns it into a sentence that names the file."""


class _Element(NamedTuple):
    kind: int
    data: memoryview
    end: int


def read(file: str, data: bytes) -> dict[str, Array]:
    """The numeric variables, read-only and in MATLAB's column-major order. ServiceError: anything out of the format."""
    if len(data) < _HEADER or data[126:128] not in _ORDERS:
        got = "another format" if data else "an empty file"
        raise ServiceError(f"Expected `{file}` to be a MATLAB 5 file, got {got}")
    order = _ORDERS[data[126:128]]
    (version,) = struct.unpack_from(f"{order}H", data, 124)
    if version != 0x0100:
        what = "version 7.3 (HDF5)" if version == 0x0200 else f"version 0x{version:04x}"
        raise ServiceError(f"Expected `{file}` to be a MATLAB 5 file, got {what}")
    found: dict[str, Array] = {}
    view, at = memoryview(data), _HEADER
    try:
        while at < len(view):
            element = _element(order, view, at, padded=False)
            matrix = _unpacked(order, element.data) if element.kind == _COMPRESSED else element
            if matrix.kind != _MATRIX:
                raise _DamageError(f"an element of type {matrix.kind} at byte {at}")
            name, array = _matrix(order, matrix.data)
            if name in found:
                raise _DamageError(f"two variables `{name}`")
            if array is not None:
                found[name] = array
            at = element.end
    except (_DamageError, zlib.error) as error:
        raise ServiceError(f"Expected `{file}` to be an intact MATLAB 5 file, got: {error}") from None
    return found


def _element(order: str, view: memoryview, at: int, padded: bool = True) -> _Element:
    """The element at a byte. Up to four bytes of data may share the tag's eight; else data is padded to eight."""
    if at + 8 > len(view):
        raise _DamageError("a cut element")
    kind, size = struct.unpack_from(f"{order}II", view, at)
    if kind >> 16:
        kind, size = kind & 0xFFFF, kind >> 16
        if size > 4:
            raise _DamageError(f"a short element of {size} bytes")
        return _Element(kind, view[at + 4 : at + 4 + size], at + 8)
    end = at + 8 + (-(-size // 8) * 8 if padded else size)
    if end > len(view):
        raise _DamageError(f"an element of {size} bytes where {len(view) - at - 8} are left")
    return _Element(kind, view[at + 8 : at + 8 + size], end)


def _unpacked(order: str, data: memoryview) -> _Element:
    # The tag tells the size, so no more than that is ever unpacked: a compression bomb cannot fill the memory.
    unpacker = zlib.decompressobj()
    head = unpacker.decompress(data, 8)
    if len(head) < 8:
        raise _DamageError("a cut element")
    kind, size = struct.unpack(f"{order}II", head)
    if size > MAX_BYTES:
        raise _DamageError(f"an element of {size} bytes")
    body = unpacker.decompress(unpacker.unconsumed_tail, size + 1)
    if len(body) != size or not unpacker.eof or unpacker.unused_data:
        raise _DamageError(f"an element that does not unpack to its {size} bytes")
    return _Element(kind, memoryview(body), size)


def _matrix(order: str, view: memoryview) -> tuple[str, Array | None]:
    """Name and array of a variable; None for one that is no numeric array (text, struct, sparse...)."""
    flags = _part(order, view, 0, _UINT32, "flags")
    shape = _part(order, view, flags.end, _INT32, "a shape")
    named = _part(order, view, shape.end, _INT8, "a name")
    if len(flags.data) != 8 or len(shape.data) % 4 or len(shape.data) < 8:
        raise _DamageError("flags or a shape of the wrong size")
    name = bytes(named.data).decode("ascii", "replace")
    (flag,) = struct.unpack_from(f"{order}I", flags.data)
    dtype = _CLASSES.get(flag & 0xFF)
    if dtype is None:
        return name, None
    if flag & _COMPLEX:
        raise _DamageError(f"complex numbers in `{name}`")
    values = _element(order, view, named.end)
    stored = _STORED.get(values.kind)
    sizes = struct.unpack(f"{order}{len(shape.data) // 4}i", shape.data)
    if stored is None or min(sizes) < 0:
        raise _DamageError(f"`{name}` with numbers of type {values.kind} and the shape {list(sizes)}")
    if len(values.data) != math.prod(sizes) * np.dtype(stored).itemsize or values.end != len(view):
        raise _DamageError(f"`{name}` of the shape {list(sizes)} with {len(values.data)} bytes")
    array = np.frombuffer(values.data, order + stored).reshape(sizes, order="F")
    return name, array.astype(dtype, order="K", copy=False)


def _part(order: str, view: memoryview, at: int, kind: int, what: str) -> _Element:
    found = _element(order, view, at)
    if found.kind != kind:
        raise _DamageError(f"an element of type {found.kind} in place of {what}")
    return found
