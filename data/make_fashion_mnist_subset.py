#!/usr/bin/env python3
"""Make the embedded class-balanced subset of Fashion-MNIST from the four full gzip IDX files.

usage: make_fashion_mnist_subset.py SOURCE_FOLDER [TARGET_FOLDER]        standard library only

Of every class the images are taken whose SHA-256("seed:split:index") is smallest: a choice that depends on no random
number generator's version. They keep their original order. Files are gzip level 9 without name and time, so the same
zlib gives the same bytes; `manifest.json` records their SHA-256, which the loader checks.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import sys
from pathlib import Path

SEED = 0
PER_CLASS = {"train": 600, "t10k": 100}
CLASSES = 10
# MD5 of the uncompressed files: the Debian package compresses them anew, so the .gz files differ from the authors'.
OFFICIAL = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}


def chosen(labels: bytes, split: str, per_class: int, seed: int = SEED) -> list[int]:
    """Ascending indices of `per_class` images of each class."""
    picked: list[int] = []
    for label in range(CLASSES):
        members = [i for i, value in enumerate(labels) if value == label]
        if len(members) < per_class:
            raise SystemExit(f"Expected at least {per_class} images of class {label} in {split}, got {len(members)}")
        members.sort(key=lambda i: hashlib.sha256(f"{seed}:{split}:{i}".encode()).digest())
        picked += members[:per_class]
    return sorted(picked)


def packed(content: bytes) -> bytes:
    """gzip bytes without file name and time."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=out, mtime=0) as file:
        file.write(content)
    return out.getvalue()


def make(source: Path, target: Path, per_class: dict[str, int], official: dict[str, str] | None = None) -> None:
    """Write the subset's IDX files and manifest; with `official`, refuse sources with other MD5 sums."""
    content = {}
    for name in OFFICIAL:
        content[name] = gzip.decompress((source / f"{name}.gz").read_bytes())
        actual = hashlib.md5(content[name], usedforsecurity=False).hexdigest()
        if official is not None and actual != official[name]:
            raise SystemExit(f"Expected the content of {name}.gz to have MD5 {official[name]}, got {actual}")
    target.mkdir(parents=True, exist_ok=True)
    files: dict[str, str] = {}
    for split, count in per_class.items():
        images, labels = content[f"{split}-images-idx3-ubyte"], content[f"{split}-labels-idx1-ubyte"]
        _, _, height, width = struct.unpack(">4I", images[:16])
        pixels, indices = height * width, chosen(labels[8:], split, count)
        subset = {
            f"{split}-images-idx3-ubyte.gz": struct.pack(">4I", 0x803, len(indices), height, width)
            + b"".join(images[16 + i * pixels : 16 + (i + 1) * pixels] for i in indices),
            f"{split}-labels-idx1-ubyte.gz": struct.pack(">2I", 0x801, len(indices))
            + bytes(labels[8 + i] for i in indices),
        }
        for name, data in subset.items():
            compressed = packed(data)
            (target / name).write_bytes(compressed)
            files[name] = hashlib.sha256(compressed).hexdigest()
    manifest = {"seed": SEED, "perClass": per_class, "sha256": files}
    (target / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    place = Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).resolve().parent / "fashion-mnist-subset"
    make(Path(sys.argv[1]), place, PER_CLASS, OFFICIAL)
