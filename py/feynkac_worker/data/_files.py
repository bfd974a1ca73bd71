"""Reading the files of a data set: every failure is a ServiceError that names the file."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from feynkac_worker.errors import ServiceError

# No data set that fits on a device is larger; a damaged header or a compression bomb must not fill the memory.
MAX_BYTES = 8 << 30
_CHUNK = 1 << 20


def folder(root: str | None, title: str) -> Path:
    """The folder a user gave. ServiceError when it is absent, relative or not a folder."""
    if root is None:
        raise ServiceError(
            f"Expected `root` (--data-root on the command line) to be the folder that holds {title}, got none"
        )
    path = Path(root)
    if not path.is_absolute():
        raise ServiceError(f"Expected `root` to be an absolute path, got `{root}`")
    if not path.is_dir():
        what = "a file" if path.exists() else "no such folder"
        raise ServiceError(f"Expected `root` to be the folder that holds {title}, got `{root}` ({what})")
    return path


def content(path: Path) -> bytes:
    """The whole file, decompressed when its name ends in .gz."""
    try:
        if path.suffix == ".gz":
            return _decompressed(path)
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ServiceError(f"Expected `{path}` to have at most {MAX_BYTES} bytes, got {size}")
        return path.read_bytes()
    except FileNotFoundError:
        raise ServiceError(f"Expected the file `{path}`, got no such file") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ServiceError(f"Expected `{path}` to be an intact gzip file, got: {error}") from None
    except OSError as error:
        raise ServiceError(f"Expected `{path}` to be readable, got: {error.strerror or error}") from None


def _decompressed(path: Path) -> bytes:
    parts, size = [], 0
    with gzip.open(path) as file:
        while part := file.read(_CHUNK):
            size += len(part)
            if size > MAX_BYTES:
                raise ServiceError(f"Expected `{path}` to unpack to at most {MAX_BYTES} bytes, got more")
            parts.append(part)
    return b"".join(parts)
