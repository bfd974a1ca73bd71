"""Damaged files of every format: a valid load or one ServiceError. `npm run fuzz` does the same for longer."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from files import FORMATS, fuzz


@pytest.mark.parametrize("kind", FORMATS)
def test_damage_is_refused_or_loads(tmp_path: Path, kind: str) -> None:
    assert fuzz(f"data {kind}", tmp_path, random.Random(kind), 300) > 0
