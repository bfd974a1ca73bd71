"""One transfer over http: goes on where an earlier one stopped, when the server can (RFC 9110, section 14)."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

CHUNK = 1 << 18
# A server that is silent for this long is taken for gone.
TIMEOUT_SECONDS = 30.0


class TransferError(Exception):
    """A transfer that did not end; the message is the reason, part of a sentence."""


def receive(url: str, size: int, part: IO[bytes], report: Callable[[int], None]) -> None:
    """Brings `part` to `size` bytes, keeping what it has where the server allows. OSError: `part` cannot be written."""
    have = part.seek(0, 2)
    if have > size:
        have = part.truncate(0)
    if have == size:
        return
    with _network():
        # Without Accept-Encoding servers send the bytes of the file, also of a .gz.
        headers = {"User-Agent": "feynkac", **({"Range": f"bytes={have}-"} if have else {})}
        response = urlopen(Request(url, headers=headers), timeout=TIMEOUT_SECONDS)
    with response:
        start = _start(response, have, size)
        part.seek(start)
        part.truncate()
        while start < size:
            with _network():
                chunk = response.read(min(CHUNK, size - start))
            if not chunk:
                raise TransferError(f"the connection ended after {start} of {size} bytes")
            part.write(chunk)
            start += len(chunk)
            report(start)


def _start(response: Any, asked: int, size: int) -> int:
    """Where the body begins: `asked`, or 0 from a server that knows no ranges."""
    if response.status == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if match is None or int(match[1]) != asked or match[2] not in ("*", str(size)):
            raise TransferError("an answer with other bytes than were asked for")
        return asked
    length = response.headers.get("Content-Length")
    # A sign-in page of a network, or another version: the checksum would tell only after the whole transfer.
    if length is not None and length != str(size):
        raise TransferError(f"a file of {length[:20]} bytes in place of {size}")
    return 0


@contextmanager
def _network() -> Iterator[None]:
    """Turns whatever a network can do into TransferError, and nothing else: errors of the disk pass."""
    try:
        yield
    except HTTPError as error:
        error.close()
        raise TransferError(f"HTTP {error.code} {error.reason}".rstrip()) from None
    except URLError as error:
        raise TransferError(_words(error.reason)) from None
    except (OSError, http.client.HTTPException) as error:
        raise TransferError(_words(error)) from None


def _words(error: object) -> str:
    if isinstance(error, socket.gaierror):
        return "its name is not known here (no network?)"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, TimeoutError):
        return f"no answer for {TIMEOUT_SECONDS:g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, (ConnectionError, http.client.IncompleteRead)):
        return "the connection broke off"
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
