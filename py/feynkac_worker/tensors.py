"""Tensors at the border: dtype names, raw bytes in and out, one-line descriptions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from feynkac_worker.errors import ProtocolError

# The only place where a string of the client becomes a dtype. complex64 is reserved.
DTYPES: dict[str, torch.dtype] = {
    "float32": torch.float32,
    "float64": torch.float64,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "int64": torch.int64,
    "int32": torch.int32,
    "int16": torch.int16,
    "int8": torch.int8,
    "uint8": torch.uint8,
    "bool": torch.bool,
}
NAMES: dict[torch.dtype, str] = {dtype: name for name, dtype in DTYPES.items()}
_HALF = (torch.bfloat16, torch.float16)
_EXACT = 2**53


def dtype_of(name: object) -> torch.dtype:
    """The dtype called `name`; raises ProtocolError listing the known ones."""
    dtype = DTYPES.get(name) if isinstance(name, str) else None
    if dtype is None:
        raise ProtocolError(f"Expected a dtype of {', '.join(DTYPES)}, got `{str(name)[:60]}`")
    return dtype


def name_of(dtype: torch.dtype) -> str:
    """`float32` for torch.float32, also for dtypes that the wire does not carry."""
    return NAMES.get(dtype) or str(dtype).removeprefix("torch.")


def shape_of(value: object) -> list[int]:
    """A checked list of sizes; raises ProtocolError."""
    if type(value) is not list or len(value) > 64 or any(type(n) is not int or n < 0 for n in value):
        raise ProtocolError(f"Expected a shape to be a list of non-negative integers, got `{str(value)[:60]}`")
    return value


def from_bytes(payload: memoryview, dtype_name: object, shape: object, limit: int, device: torch.device) -> Tensor:
    """A fresh tensor of raw little-endian C-contiguous bytes; ProtocolError when sizes disagree or exceed `limit`."""
    dtype, sizes = dtype_of(dtype_name), shape_of(shape)
    expected = math.prod(sizes) * dtype.itemsize
    if expected > limit:
        raise ProtocolError(f"Expected a tensor of at most {limit} bytes, got {expected}")
    if payload.nbytes != expected:
        raise ProtocolError(f"Expected {expected} bytes for {dtype_name}{sizes}, got {payload.nbytes}")
    raw = torch.empty(expected, dtype=torch.uint8)
    raw.numpy()[:] = np.frombuffer(payload, np.uint8)
    # Any other byte in a bool is undefined behaviour in the kernels.
    if dtype is torch.bool and expected and int(raw.max()) > 1:
        raise ProtocolError("Expected every byte of a bool tensor to be 0 or 1")
    return raw.view(dtype).reshape(sizes).to(device)


def to_bytes(x: Tensor) -> tuple[str, list[int], bytes]:
    """Dtype name, shape and a copy of the bytes; half precision is widened to float32, which holds it exactly."""
    x = x.detach()
    x = x.float() if x.dtype in _HALF else x
    if x.dtype not in NAMES:
        raise ProtocolError(f"Expected a dtype of {', '.join(DTYPES)}, got `{name_of(x.dtype)}`")
    return NAMES[x.dtype], list(x.shape), x.cpu().contiguous().numpy().tobytes()


def to_floats(tensors: list[Tensor]) -> list[float]:
    """The numbers in one-element tensors; raises ProtocolError when float64 cannot hold one."""
    for x in tensors:
        if x.numel() != 1:
            raise ProtocolError(f"Expected a tensor of one element, got {describe(x)}")
    # One copy for all of them: every single one would wait for the device.
    if len(tensors) > 1 and all(x.is_cuda and x.is_floating_point() for x in tensors):
        packed: list[float] = torch.stack([x.detach().reshape(()).double() for x in tensors]).tolist()
        return packed
    values = [x.item() for x in tensors]
    for value in values:
        if type(value) is int and abs(value) > _EXACT:
            raise ProtocolError(f"Expected an integer within 2^53, got {value}: read it as data")
    return [float(value) for value in values]


def describe(value: Any) -> str:
    """`float32[2, 3]` for a tensor, the kind for anything else."""
    if isinstance(value, Tensor):
        return f"{name_of(value.dtype)}{list(value.shape)}"
    if isinstance(value, (list, tuple)):
        shown = ", ".join(describe(item) for item in value[:4])
        return f"[{shown}{', ...' if len(value) > 4 else ''}] ({len(value)})"
    if isinstance(value, (bool, int, float, str)):
        return repr(value)
    return type(value).__name__


def summary(value: Any) -> str:
    """`float32[2, 3]  min -1  mean 0.25  max 2`, with a count of non-finite entries when there are any."""
    if not isinstance(value, Tensor):
        return describe(value)
    x = value.detach()
    if x.numel() == 0:
        return f"{describe(x)}  empty"
    finite = torch.isfinite(x)
    bad = int((~finite).sum())
    seen = x[finite].double() if bad else x.double()
    text = describe(x)
    if seen.numel():
        text += f"  min {seen.min().item():.6g}  mean {seen.mean().item():.6g}  max {seen.max().item():.6g}"
    return text + (f"  non-finite {bad} of {x.numel()}" if bad else "")
