"""A worker in a process of its own, and the client's end of its socket."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import zmq
from builder import TOKEN

from feynkac_worker import codec, optable

SOURCE = Path(__file__).resolve().parents[2] / "py"
DEADLINE_MS = 60_000


class Child:
    """A started worker, and the ROUTER that the client holds."""

    def __init__(self, folder: Path, **config: Any) -> None:
        self.context = zmq.Context()
        self.router = self.context.socket(zmq.ROUTER)
        self.router.setsockopt(zmq.LINGER, 0)
        self.router.bind(f"ipc://{folder}/c")
        settings = {"endpoint": f"ipc://{folder}/c", "token": TOKEN, "threads": 1, "device": "cpu", "faults": True}
        self.process = start(json.dumps(settings | config).encode() + b"\n")
        self.seq = 0

    def send(self, *items: Any, payloads: tuple[bytes, ...] = ()) -> None:
        self.router.send_multipart([self.identity, codec.encode_header(list(items)), *payloads])

    def receive(self) -> tuple[list[Any], list[bytes]]:
        assert self.router.poll(DEADLINE_MS), f"no answer; the worker's exit code is {self.process.poll()}"
        sender, header, *payloads = self.router.recv_multipart()
        assert sender == TOKEN.encode()
        return codec.decode_header(header), payloads

    def next(self) -> int:
        self.seq += 1
        return self.seq

    def hello(self, token: str = TOKEN) -> Any:
        # As the client does: a ROUTER knows its peer only once it is connected.
        self.identity = TOKEN.encode()
        self.router.setsockopt(zmq.ROUTER_MANDATORY, 1)
        item = [0, self.next(), [1, 0], token, "0.1.0", optable.HASH]
        while True:
            try:
                self.send(item)
                break
            except zmq.ZMQError as error:
                assert error.errno == zmq.EHOSTUNREACH and self.process.poll() is None
                select.select([], [], [], 0.02)
        return self.answer()

    def answer(self) -> Any:
        """The value of the next OK, or the error of the next ERR."""
        while True:
            items, payloads = self.receive()
            for kind, seq, *value in items:
                if kind != 2:
                    assert seq == self.seq
                    return [*value, *payloads] if payloads else value[0]

    def call(self, method: str, **params: Any) -> None:
        self.send([7, self.next(), method, params, [], []])

    def control(self, line: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()

    def pong(self) -> Any:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE_MS / 1000)
        assert ready, "no pong"
        return json.loads(self.process.stdout.readline())

    def end(self) -> tuple[int, str]:
        """Exit code and stderr."""
        return outcome(self.process)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self.router.close()
        self.context.term()


def start(stdin: bytes, **environment: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "feynkac_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(SOURCE), **environment},
    )
    assert process.stdin is not None
    process.stdin.write(stdin)
    process.stdin.flush()
    return process


def outcome(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Exit code and stderr of a worker that ends by itself: its stdin stays open until it has."""
    code = process.wait(timeout=DEADLINE_MS / 1000)
    _, stderr = process.communicate()
    return code, stderr.decode()
