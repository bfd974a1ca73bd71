"""Mutated commands, plans and payloads against a worker in a process of its own: it refuses or obeys, and goes on."""

from __future__ import annotations

import collections
import json
import random
import tempfile
import threading
from pathlib import Path
from typing import Any

import zmq
from builder import Builder, V
from child import Child
from mutate import mutate_bytes, mutate_tree
from test_validation import sample

from feynkac_worker import codec

LIMITS = {"planNodes": 1000, "handles": 1000, "messageBytes": 1 << 20, "tensorBytes": 1 << 20}
CLASSES = {
    "ProtocolError",
    "PlanError",
    "ServiceError",
    "TorchOpError",
    "OutOfMemoryError",
    "CancelledError",
    "NonFiniteError",
}
# A mutated plan may ask for a loop without an end; then the client cancels it.
PATIENCE_MS = 5_000
DEADLINE_MS = 60_000
LIVES = 2_000

Message = list[bytes]


class FindingError(Exception):
    """The worker died, fell silent or answered what it must not."""


def commands(seq: int) -> list[list[Any]]:
    """One of every kind, with the right sequence numbers."""
    return [
        [1, seq + 1, seq + 10, 0],
        [2, seq + 2, seq + 20, 1, [1]],
        [3, seq + 3, 1, [1, ["f", 0.5]], [seq + 100], 0],
        [4, seq + 4, seq + 101, 1, "float32", [2]],
        [5, seq + 5, "items", [1]],
        [6, [seq + 100]],
        [7, seq + 6, "generator.create", {"seed": 1}, [], [seq + 102]],
        [8, seq + 7],
    ]


def runs(seq: int) -> list[list[Any]]:
    """Defines, binds and runs the plan in payload 0."""
    return [
        [1, seq + 1, seq + 10, 0],
        [2, seq + 2, seq + 20, seq + 10, []],
        [3, seq + 3, seq + 20, [1, ["f", 0.5]], [seq + 100], 0],
    ]


def small() -> list[Any]:
    """A plan of a tensor and a scalar that runs."""
    x, factor = V(0), V(1)
    inner = Builder("tensor", "scalar", "tensor")
    body = inner.body(inner.add(V(0), V(2)))
    b = Builder("tensor", "scalar")
    y = b.clamp(b.mul(x, factor), None, 0.5)
    return b.raw(b.cat([b.get(b.repeat(3, body, [y], [x]), 0), b.narrow(x, 0, 0, 1)], 0))


class Wire:
    """`send` gives one message to a living worker; a fresh one follows after BYE, and after some thousand messages."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="fkf-")
        self.workers = self.lives = self.seq = 0
        self.child: Child | None = None
        self.log: collections.deque[str] = collections.deque(maxlen=50)

    def close(self) -> None:
        self.stop()
        self.folder.cleanup()

    def stop(self) -> None:
        if self.child is not None:
            self.child.process.kill()
            self.reader.join()
            self.child.close()
        self.child = None

    def worker(self) -> Child:
        if self.child is not None and self.lives > 0:
            return self.child
        self.stop()
        self.workers += 1
        self.lives = LIVES
        folder = Path(self.folder.name) / str(self.workers)
        folder.mkdir()
        self.child = child = Child(folder, faults=False, limits=LIMITS)
        # A full pipe would stop the worker.
        self.reader = threading.Thread(target=self.read, args=(child.process.stderr,), daemon=True)
        self.reader.start()
        child.hello()
        # Handle 1 is a tensor; plan and binding 1 work on it.
        child.send([4, child.next(), 1, 0, "float32", [2]], payloads=(bytes(8),))
        child.send([1, child.next(), 1, 0], [2, child.next(), 1, 1, []], payloads=(codec.encode(small()),))
        child.send([8, child.next()])
        child.answer()
        self.seq = child.seq
        return child

    def read(self, stderr: Any) -> None:
        for line in stderr:
            self.log.append(line.decode(errors="replace"))

    def message(self, rng: random.Random) -> Message:
        """A mutated header, or a mutated plan or payload under a good one."""
        self.worker()
        plan = small() if rng.random() < 0.7 else sample()
        payloads = [codec.encode(plan), bytes(8)]
        tree = [1, commands(self.seq)]
        how = rng.randrange(4)
        if how == 0:
            return [mutate_bytes(rng, codec.encode(tree)), *payloads]
        if how == 1:
            return [codec.encode(mutate_tree(rng, tree)), *payloads]
        header = codec.encode([1, runs(self.seq)])
        changed = codec.encode(mutate_tree(rng, plan)) if how == 2 else mutate_bytes(rng, payloads[0])
        return [header, changed, *payloads[1 : rng.randint(1, 2)]]

    def send(self, message: Message) -> None:
        """Raises FindingError unless the worker refuses or obeys, and then answers."""
        child = self.worker()
        self.lives -= 1
        # The count of the worker is unknown now: a gap fails one command, and the count goes on from it.
        self.seq += 1000
        handles = [h for s in (self.seq - 1000, self.seq) for h in range(s + 90, s + 110)]
        try:
            child.router.send_multipart([child.identity, *message])
            child.send([6, handles], [8, self.seq], [8, self.seq + 1])
        except zmq.ZMQError as error:
            # A message may hold a BYE: on a busy machine the worker is gone before the next one is sent.
            if error.errno != zmq.EHOSTUNREACH:
                raise
            self.expect_goodbye(child)
            return
        self.seq += 1
        while True:
            items = self.receive(child)
            if items is None:
                return
            for kind, seq, *value in items:
                if kind == 1 and value[0]["class"] not in CLASSES:
                    raise FindingError(f"an error of class {value[0]['class']}: {value[0]['message']}")
                if kind == 0 and seq == self.seq:
                    return

    def expect_goodbye(self, child: Child) -> None:
        """Waits for the end of a worker that was told BYE. Raises FindingError when it had another reason."""
        self.lives = 0
        code = child.process.wait(DEADLINE_MS / 1000)
        if code != 0:
            raise FindingError(f"the worker ended with exit code {code}:\n{''.join(self.log)}")

    def receive(self, child: Child) -> list[Any] | None:
        """The next answers, or None when the worker said goodbye: BYE is a command like any other."""
        waited = 0
        while not child.router.poll(PATIENCE_MS):
            waited += PATIENCE_MS
            if child.process.poll() is not None:
                self.expect_goodbye(child)
                return None
            if waited >= DEADLINE_MS:
                raise FindingError(f"no answer for {waited} ms, also after a cancellation")
            try:
                child.control({"ping": waited})
                running = child.pong()["running"]
            except (BrokenPipeError, json.JSONDecodeError):
                # It ended since it was looked at.
                self.expect_goodbye(child)
                return None
            if running is not None:
                child.control({"cancel": running})
                # What carries a lower number would be cancelled too.
                self.lives = 0
        return codec.decode_header(child.router.recv_multipart()[1])
