"""The frames that both ends are tested against: this end reads them, and writes the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from feynkac_worker import codec, optable

FOLDER = Path(__file__).resolve().parents[2] / "bridge" / "golden"
FRAMES: list[dict[str, Any]] = [
    frame for path in sorted(FOLDER.rglob("*.json")) for frame in json.loads(path.read_text("utf-8"))
]


def test_there_are_frames_of_every_kind() -> None:
    kinds = {
        (frame["direction"], item[0]) for frame in FRAMES if frame["direction"] != "plan" for item in frame["header"][1]
    }
    assert {("command", kind) for kind in range(10)} | {("answer", kind) for kind in range(3)} <= kinds
    assert any(frame["direction"] == "plan" for frame in FRAMES)


@pytest.mark.parametrize("frame", FRAMES, ids=[f"{frame['direction']}-{frame['name']}" for frame in FRAMES])
def test_a_golden_frame_keeps_its_bytes(frame: dict[str, Any]) -> None:
    data = bytes.fromhex(frame["hex"])
    value = codec.decode(data)
    assert value == frame["header"]
    assert codec.encode(value) == data


def test_the_hash_names_the_bytes_of_the_table() -> None:
    assert len(optable.HASH) == 64 and optable.PATH.name == "ops.json"
