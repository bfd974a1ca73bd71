"""checkpoint.save: files for everyone, and what is left when the disk refuses."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from feynkac_worker.checkpoints import files
from feynkac_worker.checkpoints.header import encode_safetensors
from feynkac_worker.errors import ServiceError
from feynkac_worker.models import build

NETWORK = build("enresnet8", {"members": 2, "width": 4, "channels": 1, "stem_stride": 2, "noise": 0.25}, seed=1)
METADATA = {"epoch": 3, "note": "ε = 0.1", "nested": {"list": [1, 2.5, None]}}


def save(call: Any, path: Path, file_format: str) -> int:
    value, handles = call(
        "checkpoint.save", {"path": str(path), "format": file_format, "metadata": METADATA}, [NETWORK]
    )
    assert handles == []
    size: int = value["bytes"]
    assert size == path.stat().st_size
    return size


def test_safetensors_for_plain_torch(call: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save(call, path, "safetensors")
    plain = load_file(path)
    assert all(torch.equal(plain[key], tensor) for key, tensor in NETWORK.state_dict().items())
    assert len(plain) == len(NETWORK.state_dict())
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    assert (header["name"], header["architecture"]) == ("enresnet8", "En2ResNet8")
    manifest = json.loads(Path(__file__).parents[2].joinpath("package.json").read_text())
    assert header["feynkac"] == manifest["version"]
    assert json.loads(header["metadata"]) == METADATA


def test_pt_for_plain_torch(call: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    save(call, path, "pt")
    for options in ({}, {"mmap": True}):
        plain = torch.load(path, weights_only=True, **options)
        assert list(plain) == list(NETWORK.state_dict())
        assert all(torch.equal(plain[key], tensor) for key, tensor in NETWORK.state_dict().items())
        assert all(tensor.is_contiguous() for tensor in plain.values())


@pytest.mark.parametrize("file_format", ["safetensors", "pt"])
def test_round_trip_keeps_options_and_metadata(file_format: str, call: Any, tmp_path: Path) -> None:
    """Stem stride and noise are in no tensor, so they come from the header."""
    path = tmp_path / "any.name"
    save(call, path, file_format)
    value, (module,) = call("checkpoint.load", {"path": str(path)})
    assert value["options"] == NETWORK.options
    assert value["metadata"]["metadata"] == METADATA
    assert value["metadata"]["notes"] == []
    assert all(
        torch.equal(a, b) for a, b in zip(module.state_dict().values(), NETWORK.state_dict().values(), strict=True)
    )
    inspected, _ = call("checkpoint.inspect", {"path": str(path)})
    assert inspected["architecture"] == {"name": "enresnet8", "options": NETWORK.options}
    value, (module,) = call("checkpoint.load", {"path": str(path), "options": {"noise": 0}})
    assert (module.noise, module.stem_stride) == (0.0, 2)


@pytest.mark.parametrize("target", ["write_and_sync", "replace"])
def test_a_full_disk_is_one_sentence_and_keeps_the_old_file(
    target: str, call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.pt"
    path.write_bytes(b"old")

    def full(place: Path, *_: Any) -> None:
        place.write_bytes(b"partial")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if target == "replace":
        monkeypatch.setattr(Path, "replace", full)
    else:
        monkeypatch.setattr(files, "write_and_sync", full)
    with pytest.raises(ServiceError) as caught:
        save(call, path, "pt")
    message = str(caught.value)
    assert message.startswith("Could not write the ")
    assert message.endswith(f" bytes of `{path}`: no space left on device; the file that was there is unchanged")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_interruption_before_the_rename_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill cannot be caught: right before the rename the old file must be whole and the new one complete."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    seen: list[tuple[bytes, bytes]] = []
    replace = Path.replace

    def look(temporary: Path, target: Path) -> Path:
        seen.append((path.read_bytes(), temporary.read_bytes()))
        return replace(temporary, target)

    monkeypatch.setattr(Path, "replace", look)
    assert files.write_atomically(path, b"new data") == 8
    assert seen == [(b"old", b"new data")]
    assert path.read_bytes() == b"new data"


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    files.write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_bad_arguments(call: Any, tmp_path: Path) -> None:
    def sentence(params: dict[str, Any], inputs: list[Any]) -> str:
        with pytest.raises(ServiceError) as caught:
            call("checkpoint.save", {"path": str(tmp_path / "a"), "format": "pt", **params}, inputs)
        return str(caught.value)

    missing = tmp_path / "no" / "a.pt"
    assert sentence({"format": "onnx"}, [NETWORK]) == "Expected `format` to be one of safetensors, pt, got `onnx` (str)"
    assert sentence({"path": "a.pt"}, [NETWORK]) == "Expected `path` to be an absolute path, got `'a.pt'` (str)"
    assert sentence({"path": str(tmp_path)}, [NETWORK]).endswith(f"bytes of `{tmp_path}`: it is a folder")
    assert sentence({"path": str(missing)}, [NETWORK]).endswith(f"bytes of `{missing}`: no such file or directory")
    assert sentence({"metadata": 3}, [NETWORK]) == "Expected `metadata` to be a map, got `3` (int)"
    assert sentence({}, []) == "Expected input handles of the kinds ['module'], got []"


def test_equal_networks_give_equal_bytes(tmp_path: Path) -> None:
    tensors, metadata = {"w": torch.arange(6.0)}, {str(i): f"ä{i}" for i in range(20)}
    written = {encode_safetensors(tensors, metadata) for _ in range(20)}
    assert len(written) == 1
    (tmp_path / "file.safetensors").write_bytes(written.pop())
    with safe_open(tmp_path / "file.safetensors", "pt") as opened:
        assert opened.metadata() == metadata
        assert torch.equal(opened.get_tensor("w"), tensors["w"])
