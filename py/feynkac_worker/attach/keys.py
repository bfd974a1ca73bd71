"""CURVE keys as files: `NAME.public` and `NAME.secret`, one line of 40 Z85 characters each, for their owner only."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import zmq

from feynkac_worker.attach import AttachError

_Z85 = re.compile(rb"[0-9A-Za-z.:+=^!/*?&<>()\[\]{}@%$#-]{40}")


@dataclass(frozen=True)
class ServerKeys:
    """The worker's own pair, and where the public keys of its clients lie."""

    folder: Path
    public: bytes
    secret: bytes

    def knows(self, client: bytes) -> bool:
        """Whether a public key is a client's. The files are read anew: clients can be added and dropped."""
        return client in {_read(path) for path in self.folder.glob("client*.public")}


def make(folder: Path) -> None:
    """Makes a pair for the worker and one for a client. Raises AttachError rather than write over keys."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = [f"{name}.{kind}" for name in ("server", "client") for kind in ("public", "secret")]
    taken = [name for name in names if (folder / name).exists()]
    if taken:
        raise AttachError(f"Expected a folder without keys, got `{folder}` with {', '.join(taken)}")
    values = [*zmq.curve_keypair(), *zmq.curve_keypair()]
    for name, value in zip(names, values, strict=True):
        end = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(end, "wb") as file:
            file.write(value + b"\n")


def load(folder: Path) -> ServerKeys:
    """The keys of a worker: `server.secret` and one or more `client*.public`. Raises AttachError."""
    path = folder / "server.secret"
    secret = _read(path)
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise AttachError(f"Expected `{path}` to be readable by its owner only (chmod 600), got mode {mode:o}")
    clients = sorted(folder.glob("client*.public"))
    if not clients:
        raise AttachError(f"Expected a client's public key (client*.public) in `{folder}`, got none")
    for client in clients:
        _read(client)
    return ServerKeys(folder, zmq.curve_public(secret), secret)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            text = file.read(200).strip()
    except OSError as error:
        raise AttachError(f"Expected the key `{path}`, got {(error.strerror or str(error)).lower()}") from None
    if _Z85.fullmatch(text) is None:
        raise AttachError(f"Expected `{path}` to hold one key of 40 characters, got something else")
    return text
