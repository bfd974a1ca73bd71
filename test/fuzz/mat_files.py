"""Writes MATLAB 5 files as MATLAB does, for the tests: byte order, compression and storage types can be chosen."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

CLASSES = {"f8": 6, "f4": 7, "i1": 8, "u1": 9, "i2": 10, "u2": 11, "i4": 12, "u4": 13, "i8": 14, "u8": 15}
STORED = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 9, "i8": 12, "u8": 13}


def element(order: str, kind: int, data: bytes) -> bytes:
    if len(data) <= 4:
        return struct.pack(f"{order}I", len(data) << 16 | kind) + data.ljust(4, b"\0")
    return struct.pack(f"{order}II", kind, len(data)) + data + bytes(-len(data) % 8)


def variable(
    name: str, array: np.ndarray, order: str = "<", packed: bool = True, stored: str = "", flag: int = 0
) -> bytes:
    own = array.dtype.str[1:]
    values = array.astype(order + (stored or own)).tobytes("F")
    body = element(order, 6, struct.pack(f"{order}II", CLASSES[own] | flag, 0))
    body += element(order, 5, struct.pack(f"{order}{array.ndim}i", *array.shape))
    body += element(order, 1, name.encode()) + element(order, STORED[stored or own], values)
    matrix = struct.pack(f"{order}II", 14, len(body)) + body
    if not packed:
        return matrix
    squeezed = zlib.compress(matrix)
    return struct.pack(f"{order}II", 15, len(squeezed)) + squeezed


def mat(*variables: bytes, order: str = "<", version: int = 0x0100) -> bytes:
    text = b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(116) + bytes(8)
    return text + struct.pack(f"{order}H", version) + {"<": b"IM", ">": b"MI"}[order] + b"".join(variables)


def svhn(images: np.ndarray, labels: np.ndarray, **options: Any) -> bytes:
    """images uint8 [n, 3, 32, 32], labels [n] with 10 for zero."""
    order = options.get("order", "<")
    x = variable("X", images.transpose(2, 3, 1, 0), **options)
    return mat(x, variable("y", labels[:, None], **options), order=order)
