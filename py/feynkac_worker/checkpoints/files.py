"""Paths that a client names, and writing a file so that a crash or a full disk leaves the old one."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Any

from feynkac_worker.errors import ServiceError


def checked_path(value: Any) -> Path:
    """`value` as an absolute path. Raises ServiceError otherwise."""
    if not isinstance(value, str) or "\0" in value or not Path(value).is_absolute():
        raise ServiceError(f"Expected `path` to be an absolute path, got `{value!r}` ({type(value).__name__})")
    return Path(value)


def readable_file(value: Any) -> Path:
    """The path of an existing file that this process may read. Raises ServiceError otherwise."""
    path = checked_path(value)
    if path.is_dir():
        raise ServiceError(f"Expected `path` to be a checkpoint file, got the folder `{path}`")
    if not path.exists():
        raise ServiceError(f"Expected `path` to be an existing file, got `{path}`, which does not exist")
    if not path.is_file():
        raise ServiceError(f"Expected `path` to be an ordinary file, got `{path}`")
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ServiceError(f"Expected `path` to be a readable file, got `{path}`: {reason(error)}") from error


def write_atomically(path: Path, data: bytes) -> int:
    """Writes `data` to a temporary file beside `path`, forces it to disk and renames it; gives the number of bytes.

    At every moment `path` holds the old or the new content in full. Raises ServiceError when the system refuses.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        if target.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        write_and_sync(temporary, data)
        temporary.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        kept = "; the file that was there is unchanged" if target.is_file() else ""
        raise ServiceError(f"Could not write the {len(data)} bytes of `{path}`: {reason(error)}{kept}") from error
    return len(data)


def write_and_sync(path: Path, data: bytes) -> None:
    """Creates the file `path` and returns once the disk has it."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def reason(error: OSError) -> str:
    """The system's words for an error in lower case, without the path that the sentence already names."""
    return (error.strerror or str(error)).lower()


def _sync_folder(folder: Path) -> None:
    """Makes the rename itself durable; some file systems cannot, and the file is complete all the same."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
