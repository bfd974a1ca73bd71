"""Ways to fail on purpose, for tests of supervision. Registered only when the configuration asks for them."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from typing import Any

import torch

from feynkac_worker.services import Context, service

Result = tuple[Any, list[Any]]


@service("fault.hang")
def hang(context: Context, params: dict[str, Any], inputs: list[Any]) -> Result:
    """Hangs for `seconds`, or for good; `mode`: `sleep`, `python` (a busy loop) or `gil` (C code that keeps it)."""
    end = time.monotonic() + params.get("seconds", 1e9)
    if params.get("mode") == "gil":
        ctypes.PyDLL(None).usleep(int(min(params.get("seconds", 4e3), 4e3) * 1e6))
    while time.monotonic() < end:
        if params.get("mode") != "python":
            time.sleep(0.01)
    return {}, []


@service("fault.segfault")
def segfault(context: Context, params: dict[str, Any], inputs: list[Any]) -> Result:
    """Reads address 0."""
    ctypes.string_at(0)
    return {}, []


@service("fault.exit")
def leave(context: Context, params: dict[str, Any], inputs: list[Any]) -> Result:
    """Ends the process with `code`, with `text` on stderr and no newline after it."""
    os.write(2, str(params.get("text", "")).encode())
    os._exit(int(params.get("code", 3)))


@service("fault.flood")
def flood(context: Context, params: dict[str, Any], inputs: list[Any]) -> Result:
    """Writes `bytes` bytes to stdout, which the worker has pointed at stderr."""
    line = "flood " * 20 + "\n"
    for _ in range(int(params.get("bytes", 1_000_000)) // len(line)):
        sys.stdout.write(line)
    sys.stdout.flush()
    return {}, []


@service("fault.oom")
def oom(context: Context, params: dict[str, Any], inputs: list[Any]) -> Result:
    """Asks the allocator for more than any machine has."""
    torch.empty(1 << 60, dtype=torch.uint8, device=context.device)
    return {}, []
