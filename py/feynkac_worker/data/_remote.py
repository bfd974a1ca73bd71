"""A file as its authors distribute it: the constant facts that a download needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Remote:
    """One file.

    size, sha256: of the file itself; SHA-256 because some homes only speak plain http.
    homes: URLs of folders that hold it, the official one first; the others are tried in order.
    folder: where it goes below the user's root, one of the places where the loader looks.
    unpacks: the folder that a .tar.gz holds, None for a file that is read as it is.
    """

    name: str
    size: int
    sha256: str
    homes: tuple[str, ...]
    folder: str = ""
    unpacks: str | None = None
