"""What our files say about themselves: which version wrote which network with which options.

In safetensors it is the header's metadata, which holds strings only; in a torch zip file it is one more record, which
`torch.load` does not look at. Keys: feynkac (version), name, architecture, options (JSON), metadata (JSON), and of a
narrowed network widths (JSON).
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from feynkac_worker.errors import ServiceError

# The one place that holds the version: the package manifest above `py/`.
VERSION: str = json.loads(Path(__file__).resolve().parents[3].joinpath("package.json").read_text())["version"]
RECORD = "feynkac.json"
_RECORD_LIMIT_BYTES = 2**24


def encode_header(description: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, str]:
    """The header for a module description (PROTOCOL.md) and the caller's metadata."""
    return {
        "format": "pt",
        "feynkac": VERSION,
        "name": description["name"],
        "architecture": description["architecture"],
        "options": json.dumps(description["options"]),
        "metadata": json.dumps(metadata),
        **({"widths": json.dumps(description["widths"])} if "widths" in description else {}),
    }


def encode_safetensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """The file of these tensors; equal tensors and metadata give equal bytes.

    The library writes its metadata in the order of a randomly seeded hash map, so the header is written anew with
    sorted keys.
    """
    data = safetensors.torch.save(dict(tensors), dict(metadata))
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    size = -(-len(text) // 8) * 8
    return size.to_bytes(8, "little") + text.ljust(size) + data[end:]


def decode_header(path: Path, header: Mapping[str, str]) -> dict[str, Any]:
    """The header with its JSON parts read; foreign headers pass as they are. Raises ServiceError for a broken one."""
    decoded: dict[str, Any] = dict(header)
    parts = ("options", "metadata", *(["widths"] if "widths" in header else []))
    for key in parts if "feynkac" in header else ():
        try:
            decoded[key] = json.loads(header.get(key, ""))
        except (ValueError, RecursionError):
            decoded[key] = None
        if not isinstance(decoded[key], dict):
            got = f"`{header[key][:60]}`" if key in header else "nothing"
            raise ServiceError(f"Expected the header `{key}` of `{path}` to be a JSON object, got {got}")
    return decoded


def add_zip_header(data: bytes, header: Mapping[str, str]) -> bytes:
    """A torch zip file with the header as one more record."""
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a") as archive:
        folder = archive.namelist()[0].split("/")[0]
        archive.writestr(f"{folder}/{RECORD}", json.dumps(header))
    return buffer.getvalue()


def read_zip_header(path: Path) -> dict[str, Any]:
    """The header of a torch file, empty when there is none. Raises ServiceError for a broken one."""
    if not zipfile.is_zipfile(path):
        return {}
    try:
        with zipfile.ZipFile(path) as archive:
            found = [info for info in archive.infolist() if info.filename.split("/")[-1] == RECORD]
            if not found or found[0].file_size > _RECORD_LIMIT_BYTES:
                return {}
            header = json.loads(archive.read(found[0]))
    except Exception as error:
        # A damaged archive raises what the reader meets first (BadZipFile, NotImplementedError, zlib.error, …).
        raise ServiceError(f"Expected the record `{RECORD}` of `{path}` to be JSON, got damaged text") from error
    if not isinstance(header, dict) or not all(isinstance(value, str) for value in header.values()):
        raise ServiceError(f"Expected the record `{RECORD}` of `{path}` to map names to strings, got `{header}`")
    return decode_header(path, header)
