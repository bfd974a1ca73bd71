"""The control thread: cancel, ping and shutdown over stdin, answered on the original stdout. It never touches torch."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from typing import Any, NoReturn

from feynkac_worker.progress import Progress

_LONGEST = 1 << 20


def lines(fd: int) -> Iterator[bytes]:
    """Complete lines from a file descriptor. Not a buffered file: its lock would outlive a killed thread at exit."""
    pending = b""
    while chunk := os.read(fd, 65_536):
        *complete, pending = (pending + chunk).split(b"\n")
        yield from complete
        if len(pending) > _LONGEST:
            return


class Control(threading.Thread):
    """Reads control lines until end-of-file, which ends the process at once, whatever the main thread is doing."""

    def __init__(self, source: Iterator[bytes], answers: int, progress: Progress) -> None:
        super().__init__(name="control", daemon=True)
        self.source, self.answers, self.progress = source, answers, progress

    def run(self) -> None:
        """Runs until the end of the process."""
        for line in self.source:
            self._line(line)
        leave(0)

    def _line(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            os.write(2, b"feynkac: a control line was not a JSON object, and was ignored\n")
            return
        if message.get("shutdown") is True:
            leave(0)
        seq = message.get("cancel")
        if type(seq) is int:
            self.progress.cancelled = max(self.progress.cancelled, seq)
        if "ping" in message:
            self._write({"pong": message["ping"], **self.progress.report(), "rssBytes": _rss_bytes()})

    def _write(self, answer: dict[str, Any]) -> None:
        try:
            os.write(self.answers, json.dumps(answer).encode() + b"\n")
        except OSError:
            # Nobody listens any more.
            leave(0)


def _rss_bytes() -> int:
    # Imported late: services imports torch, and this thread may start first.
    from feynkac_worker.services import rss_bytes

    return rss_bytes()


def leave(code: int) -> NoReturn:
    """Ends the process without tearing torch down."""
    os._exit(code)
