"""Calls services as the server does, on the CPU, without a server."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import feynkac_worker.checkpoints.services  # noqa: F401  registers the methods
from feynkac_worker.handles import Handles
from feynkac_worker.services import Context, find

sys.path.insert(0, str(Path(__file__).parent))  # for published_files

Call = Callable[..., tuple[Any, list[Any]]]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def call() -> Call:
    """`call(method, params, inputs)` gives (value, objects of the output handles)."""
    context = Context(torch.device("cpu"), Handles(100))

    def run(method: str, params: dict[str, Any], inputs: list[Any] | None = None) -> tuple[Any, list[Any]]:
        return find(method)(context, params, inputs or [])

    return run
