from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

# The helper module lies beside the tests, which are no package.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _calm() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
