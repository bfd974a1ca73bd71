from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

# The helper module lies beside the tests, which are no package.
sys.path.insert(0, str(Path(__file__).parent))

from child import Child


@pytest.fixture(autouse=True)
def _calm() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    # A short path: sun_path holds 108 bytes.
    started = Child(tmp_path_factory.mktemp("w"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    """A worker that has been greeted, for tests that leave it as they found it."""
    started = Child(tmp_path_factory.mktemp("w"))
    started.hello()
    yield started
    started.close()
