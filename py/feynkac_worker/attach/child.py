"""The process that does the work of one client: what a TypeScript parent would start, with the listener as its parent.

A process for each client is the surest way to free all that it had, and a crash takes only its own session along.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from shutil import rmtree
from typing import IO, Any

import zmq

_LONGEST = 65_536
Frames = list[zmq.Frame]


class Child:
    """The process, the private socket to it, and its two pipes. Nothing here waits for it."""

    def __init__(self, context: zmq.Context[Any], config: Mapping[str, Any]) -> None:
        self.token = str(config["token"]).encode()
        self.folder: str | None = tempfile.mkdtemp(prefix="fk-")
        self.socket: zmq.Socket[bytes] = context.socket(zmq.ROUTER)
        for option, value in ((zmq.ROUTER_MANDATORY, 1), (zmq.LINGER, 0), (zmq.SNDHWM, 0), (zmq.RCVHWM, 0)):
            self.socket.setsockopt(option, value)
        endpoint = f"ipc://{self.folder}/c"
        self.socket.bind(endpoint)
        py = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join([py, *filter(None, [os.environ.get("PYTHONPATH")])])
        threads = {"OMP_NUM_THREADS": str(config["threads"])}
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "feynkac_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **threads},
        )
        assert self.process.stdin and self.process.stdout and self.process.stderr
        self.stdin: IO[bytes] = self.process.stdin
        os.set_blocking(self.stdin.fileno(), False)
        # Their file descriptors: control answers and log.
        self.answers, self.log = self.process.stdout.fileno(), self.process.stderr.fileno()
        self._rest = {self.answers: b"", self.log: b""}
        self._unsent: list[Frames] = []
        self.control({**config, "endpoint": endpoint})

    @property
    def reached(self) -> bool:
        """Whether it has connected."""
        return self.folder is None

    def control(self, line: Mapping[str, Any]) -> None:
        """One line to its standard input; one that a stopped process does not read is dropped."""
        try:
            os.write(self.stdin.fileno(), json.dumps(line).encode() + b"\n")
        except OSError:
            return

    def send(self, frames: Frames) -> None:
        """Passes a message on, in order; the first ones wait until the process has connected."""
        self._unsent.append(frames)
        self.flush()

    def flush(self) -> None:
        """Sends what waits for the process to connect."""
        while self._unsent:
            try:
                self.socket.send_multipart([self.token, *self._unsent[0]], copy=False)
            except zmq.ZMQError as error:
                if error.errno != zmq.EHOSTUNREACH:
                    raise
                return
            self._unsent.pop(0)
            self._unlink()

    def connected(self) -> bool:
        """Whether the socket still leads to the process: after its end, whether messages may yet be read."""
        try:
            self.socket.send_multipart([self.token, b""])
        except zmq.ZMQError:
            return False
        return True

    def receive(self) -> list[Frames]:
        """What has arrived, a few messages at a time."""
        found: list[Frames] = []
        while len(found) < 64:
            try:
                sender, *frames = self.socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                break
            if sender.bytes == self.token:
                found.append(frames)
        return found

    def read(self, end: int, use: Callable[[bytes], None]) -> bool:
        """Gives the complete lines of a pipe to `use`; false at its end, with what stood behind the last newline."""
        chunk = os.read(end, _LONGEST)
        *lines, rest = (self._rest[end] + chunk).split(b"\n")
        if not chunk or len(rest) > _LONGEST:
            lines, rest = [*lines, *([rest] if rest else [])], b""
        self._rest[end] = rest
        for line in lines:
            use(line)
        return bool(chunk)

    def end(self) -> None:
        """Kills the process if it still runs, waits for its end, and leaves nothing behind."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe
            pipe.close()
        self.socket.close()
        self._unlink()

    def _unlink(self) -> None:
        if self.folder is not None:
            rmtree(self.folder, ignore_errors=True)
            self.folder = None
