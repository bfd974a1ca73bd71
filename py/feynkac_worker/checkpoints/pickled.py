"""The two containers of torch files, for pickles that `torch.load(weights_only=True)` refuses.

Zip (torch 1.6 and later): a record `data.pkl` and one record `data/KEY` for each storage, stored uncompressed.
Older: five pickles (magic number, version, machine, the content, the storage keys), then for each key the number of
elements in eight bytes and the elements. All numbers are little-endian.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from feynkac_worker.checkpoints.standins import RefusedError, Slice
from feynkac_worker.checkpoints.unpickler import Screen, Unpickler

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001
LIMIT_BYTES = 2**32
PICKLE_LIMIT_BYTES = 2**28  # a record may be compressed


@dataclass
class Pickled:
    """The content of a file as inert values, and the numbers of its storages."""

    content: Any
    records: dict[str, memoryview]
    budget: int  # bytes of tensors that may still be made: no more than the file has, however often it shares a storage
    made: dict[int, Tensor] = field(default_factory=dict)

    def tensor(self, slice_: Slice) -> Tensor:
        """The tensor in row-major order, on the CPU. Raises ValueError when tensors share so much that they add up."""
        if id(slice_) in self.made:
            return self.made[id(slice_)]
        place, item = slice_.storage, slice_.storage.dtype.itemsize
        last = slice_.offset + sum((n - 1) * step for n, step in zip(slice_.size, slice_.stride, strict=True))
        first = place.start + slice_.offset
        data = self.records[place.key][first * item : (place.start + last + 1) * item]
        self.budget -= len(data)
        if self.budget < 0:
            raise ValueError("tensors that share their numbers")
        # A byte other than 0 and 1 is no truth value of C++.
        raw = torch.frombuffer(bytearray(data), dtype=torch.uint8 if place.dtype == torch.bool else place.dtype)
        flat = raw != 0 if place.dtype == torch.bool else raw
        found = flat.as_strided(slice_.size, slice_.stride).contiguous()
        self.made[id(slice_)] = found
        return found


def screen(path: Path) -> None:
    """Raises RefusedError for a pickle that could stop the process, and plain errors for damaged files."""
    with path.open("rb") as file:
        if not _is_zip(file.read(4)):
            file.seek(0)
            unpickler = Screen()
            for _ in range(5):
                unpickler.load(file)
            return
    with zipfile.ZipFile(path) as archive:
        # All of them, whatever folder and capitals: torch chooses by rules of its own.
        for info in archive.infolist():
            if info.filename.lower().endswith("data.pkl"):
                if info.file_size > PICKLE_LIMIT_BYTES:
                    raise RefusedError(f"a pickle of {info.file_size} bytes, more than {PICKLE_LIMIT_BYTES}")
                Screen().load(io.BytesIO(archive.read(info)))


def _is_zip(start: bytes) -> bool:
    """As torch decides it; Python looks at the end of a file, where a pickle may have an archive for show."""
    return start[:4] == b"PK\x03\x04"


def read_pickled(path: Path) -> Pickled:
    """The content of a torch file. Raises RefusedError for what is not on the list, plain errors for damage."""
    size = path.stat().st_size
    if size > LIMIT_BYTES:
        raise RefusedError(f"a file of whole modules of {size} bytes, more than {LIMIT_BYTES}")
    # Read, not mapped: a file that another process shortens must not kill the worker.
    data = path.read_bytes()
    return _read_zip(data) if _is_zip(data) else _read_older(data)


def _read_zip(data: bytes) -> Pickled:
    unpickler = Unpickler()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = {name.partition("/")[2]: name for name in archive.namelist()}
        if "constants.pkl" in names:
            raise RefusedError(
                "a TorchScript program, which is not run: save `net.state_dict()` with the code that made it"
            )
        if "byteorder" in names and _record(archive, names["byteorder"], 6) != b"little":
            raise ValueError("big-endian numbers")
        content = unpickler.load(io.BytesIO(_record(archive, names["data.pkl"], len(data))))
        records, left = {}, len(data)
        for key, storage in unpickler.storages.items():
            # Records may overlap, and each is checked against its sum, so together they are no more than the file.
            record = _record(archive, names[f"data/{key}"], left)
            left -= len(record)
            records[key] = _checked(memoryview(record), storage.total * storage.dtype.itemsize)
    return Pickled(content, records, len(data))


def _record(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED or info.file_size > most:
        raise ValueError("a compressed record")
    return archive.read(info)


def _read_older(data: bytes) -> Pickled:
    unpickler, file = Unpickler(), io.BytesIO(data)
    if unpickler.load(file) != MAGIC or unpickler.load(file) != VERSION:
        raise ValueError("no torch file")
    machine = unpickler.load(file)
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise ValueError("big-endian numbers")
    content, keys = unpickler.load(file), unpickler.load(file)
    records, position, whole = {}, file.tell(), memoryview(data)
    for key in keys:
        storage = unpickler.storages[key]
        if key in records or int.from_bytes(whole[position : position + 8], "little") != storage.total:
            raise ValueError("a storage of two lengths")
        end = position + 8 + storage.total * storage.dtype.itemsize
        records[key] = _checked(whole[position + 8 : end], storage.total * storage.dtype.itemsize)
        position = end
    return Pickled(content, records, len(data))


def _checked(record: memoryview, size: int) -> memoryview:
    if len(record) != size:
        raise ValueError("a storage that ends early")
    return record
