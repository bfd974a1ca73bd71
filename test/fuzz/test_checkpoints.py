"""Damaged checkpoints of every container: a state_dict or one ServiceError. `npm run fuzz` does the same for longer."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from files import CHECKPOINTS, fuzz


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_damage_is_refused_or_loads(tmp_path: Path, kind: str) -> None:
    assert fuzz(f"checkpoint {kind}", tmp_path, random.Random(kind), 200) > 0
