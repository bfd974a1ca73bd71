"""Downloads a data set from its official home: `.part` files that later calls go on with, SHA-256 before the rename."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import urlsplit

from feynkac_worker.data._remote import Remote
from feynkac_worker.data._transfer import TransferError, receive
from feynkac_worker.errors import ServiceError

# (file, bytes that are there, bytes in all)
Report = Callable[[str, int, int], None]


def download(remote: Remote, root: Path, report: Report) -> bool:
    """Brings one file below `root`, unpacked where its loader wants that. False: it was there, nothing was done."""
    place = root / remote.folder
    path = place / remote.name
    with _disk(path):
        place.mkdir(parents=True, exist_ok=True)
        if remote.unpacks is not None and (place / remote.unpacks).is_dir():
            return False
        with _reserved(path.with_name(f"{path.name}.part")) as part:
            # A file that is there may have been brought by hand, from a machine with a network.
            new = not path.exists()
            if new:
                _fetch(remote, path, part, report)
            elif _sha256(path) != remote.sha256:
                raise ServiceError(
                    f"Expected `{path}` to have the SHA-256 {remote.sha256}, got {_sha256(path)}; "
                    "move it away to download it anew"
                )
            if remote.unpacks is None:
                return new
            _unpack(path, place, remote.unpacks)
            path.unlink()
            return True


def _fetch(remote: Remote, path: Path, part: IO[bytes], report: Report) -> None:
    """Tries every home until the file is whole; only a file with the right checksum gets its name."""
    free, wanted = shutil.disk_usage(path.parent).free, remote.size - part.seek(0, 2)
    if wanted > free:
        raise ServiceError(f"Expected {wanted} free bytes for `{path}`, got {free}")
    failures = []
    for home in remote.homes:
        try:
            _receive(remote, home, part, report)
        except TransferError as reason:
            failures.append(f"{urlsplit(home).netloc}: {reason}")
            continue
        part.flush()
        os.fsync(part.fileno())
        actual = _sha256(Path(part.name))
        if actual == remote.sha256:
            os.replace(part.name, path)
            return
        part.truncate(0)
        failures.append(f"{urlsplit(home).netloc}: a file with the SHA-256 {actual}, expected {remote.sha256}")
    kept = part.seek(0, 2)
    again = f"{kept} bytes are kept, run the command again to go on" if kept else "or put it there yourself"
    raise ServiceError(f"Expected to download `{path}` ({remote.size} bytes), got {'; '.join(failures)}; {again}")


def _receive(remote: Remote, home: str, part: IO[bytes], report: Report) -> None:
    """Goes on after interruptions for as long as each attempt gets further than all before."""
    furthest = part.seek(0, 2)
    while True:
        try:
            return receive(home + remote.name, remote.size, part, lambda done: report(remote.name, done, remote.size))
        except TransferError:
            have = part.seek(0, 2)
            if have <= furthest:
                raise
            furthest = have


@contextmanager
def _reserved(path: Path) -> Iterator[IO[bytes]]:
    """The part file, locked against a second download of the same file; an empty one is removed at the end."""
    with path.open("ab+") as part:
        try:
            fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServiceError(f"Expected `{path}` to be free, got one that another download is writing") from None
        try:
            yield part
        finally:
            # After the rename the name is gone, or already belongs to another download.
            if path.exists() and os.path.samestat(os.fstat(part.fileno()), path.stat()) and path.stat().st_size == 0:
                path.unlink()


def _unpack(archive: Path, place: Path, inside: str) -> None:
    """The plain files of the one folder in an archive; the folder appears when all of them are there."""
    temporary = place / f"{inside}.part"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                name = PurePosixPath(member.name)
                source = tar.extractfile(member) if member.isreg() and str(name.parent) == inside else None
                if source is not None and name.name not in ("", ".."):
                    with source, (temporary / name.name).open("xb") as target:
                        shutil.copyfileobj(source, target)
    except (tarfile.TarError, EOFError) as error:
        raise ServiceError(f"Expected `{archive}` to be an intact archive, got: {error}") from None
    temporary.rename(place / inside)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Errors of the file system in one sentence; what has arrived stays in the part file."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "no space left on the disk" if full else error.strerror or str(error)
        raise ServiceError(
            f"Expected to write `{path}`, got: {reason}; what has arrived is kept, run the command again to go on"
        ) from None
