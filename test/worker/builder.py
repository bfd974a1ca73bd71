"""Writes plans the way the tracer does, so that the worker can be tested without TypeScript."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from feynkac_worker import codec, optable
from feynkac_worker.errors import NodeError
from feynkac_worker.executor import Runtime
from feynkac_worker.handles import Handles
from feynkac_worker.plan import decode
from feynkac_worker.program import Program
from feynkac_worker.progress import Progress
from feynkac_worker.services import Context
from feynkac_worker.session import Session
from feynkac_worker.worker import handle

TOKEN = "0123456789abcdef0123456789abcdef"
DTYPE_NAMES = {torch.float32: "float32", torch.float64: "float64", torch.int64: "int64", torch.bool: "bool"}


class V(int):
    """A value id, to tell values from integer literals."""


class Builder:
    """`b = Builder("tensor", "scalar"); y = b.mul(V(0), V(1)); b.plan(y)`."""

    def __init__(self, *inputs: str) -> None:
        self.inputs = list(inputs)
        self.nodes: list[Any] = []
        self.locs: list[str] = []

    def __getattr__(self, op: str) -> Any:
        row = optable.BY_NAME[op]

        def add(*args: Any, **named: Any) -> V:
            given = dict(zip((arg.name for arg in row.args), args, strict=False)) | named
            for value in given.values():
                if isinstance(value, Body):
                    value.shift(len(self.locs))
                    self.locs += value.locs
            tagged = [tag(given.get(arg.name)) for arg in row.args]
            self.locs.append(f"script.ts:{len(self.locs) + 1}:1")
            self.nodes.append([row.index, tagged, len(self.locs) - 1])
            return V(len(self.inputs) + len(self.nodes) - 1)

        return add

    def raw(self, *outputs: int) -> list[Any]:
        return [1, self.inputs, self.nodes, [int(v) for v in outputs], "test", self.locs]

    def plan(self, *outputs: int) -> bytes:
        return codec.encode(self.raw(*outputs))

    def body(self, *outputs: int) -> Body:
        return Body([self.inputs, self.nodes, [int(v) for v in outputs]], self.locs)


class Body(list):
    """A subplan, whose locations move to the plan that takes it in."""

    def __init__(self, parts: list[Any], locs: list[str]) -> None:
        super().__init__(parts)
        self.locs = locs

    def shift(self, by: int) -> None:
        def move(nodes: list[Any]) -> None:
            for node in nodes:
                node[2] += by
                for arg in node[1]:
                    if arg[0] == "p":
                        move(arg[1][1])

        move(self[1])


def tag(x: Any) -> list[Any]:
    if x is None:
        return ["n"]
    if isinstance(x, V):
        return ["v", int(x)]
    if isinstance(x, Body):
        return ["p", list(x)]
    if isinstance(x, bool):
        return ["b", x]
    if isinstance(x, int):
        return ["i", x if -(2**31) <= x < 2**32 else str(x)]
    if isinstance(x, float):
        return ["f", "-0" if str(x) == "-0.0" else x]
    if isinstance(x, str):
        return ["s", x]
    if isinstance(x, torch.dtype):
        return ["d", DTYPE_NAMES[x]]
    return ["l", [tag(item) for item in x]]


def program(plan: bytes, **options: Any) -> Program:
    runtime = Runtime(**options)
    decoded = decode(plan)
    runtime.plan = decoded
    return Program(decoded, runtime)


def run(plan: bytes, *values: Any, **options: Any) -> list[torch.Tensor]:
    """Outputs of a plan run once, in process."""
    ready = program(plan, **options)
    return ready.run([*values, *ready.room])


class Client:
    """A session in this process: commands in, answers out, no socket."""

    def __init__(self, **config: Any) -> None:
        self.sent: list[tuple[list[Any], list[bytes]]] = []
        self.logged: list[str] = []
        self.progress = Progress()
        handles = Handles(config.pop("handles", 10_000))
        context = Context(torch.device("cpu"), handles, 1, {"token": TOKEN, **config})
        self.session = Session(context, self.progress, self._receive, self.logged.append)
        self.seq = 0
        self.send([0, self.next(), [1, 0], TOKEN, "0.1.0", optable.HASH])
        self.sent.clear()

    def _receive(self, items: list[Any], payloads: list[bytes]) -> None:
        # What cannot be encoded must fail here, as it would on the socket.
        encoded = items[0] if isinstance(items[0], bytes) else codec.encode_header(items)
        self.sent.append((codec.decode_header(encoded), payloads))

    def next(self) -> int:
        self.seq += 1
        return self.seq

    def send(self, *items: Any, payloads: list[bytes] | None = None) -> None:
        frames = [memoryview(p) for p in payloads or []]
        # The worker runs with gradient mode off.
        with torch.no_grad():
            handle(self.session, codec.encode_header(list(items)), frames)

    def raw(self, data: bytes) -> None:
        with torch.no_grad():
            handle(self.session, data, [])

    def define(self, plan_id: int, plan: bytes) -> None:
        self.send([1, self.next(), plan_id, 0], payloads=[plan])

    def bind(self, bound_id: int, plan_id: int, *captured: Any) -> None:
        self.send([2, self.next(), bound_id, plan_id, list(captured)])

    def ready(self, id: int, plan: bytes, *captured: Any) -> None:
        """DEF and BIND under one id."""
        self.define(id, plan)
        self.bind(id, id, *captured)

    def run(self, bound_id: int, args: list[Any], outputs: list[int], flags: int = 0) -> int:
        self.send([3, self.next(), bound_id, args, outputs, flags])
        return self.seq

    def put(self, h: int, x: torch.Tensor) -> None:
        data = x.contiguous().numpy().tobytes()
        self.send([4, self.next(), h, 0, DTYPE_NAMES[x.dtype], list(x.shape)], payloads=[data])

    def free(self, *handles: int) -> None:
        self.send([6, list(handles)])

    def call(self, method: str, params: dict[str, Any], inputs: list[int] = [], outputs: list[int] = []) -> Any:  # noqa: B006
        self.send([7, self.next(), method, params, inputs, outputs])
        return self.last()

    def items(self, *handles: int) -> Any:
        self.send([5, self.next(), "items", list(handles)])
        return self.last()

    def last(self) -> Any:
        """The value of the last OK, or the error of the last ERR."""
        _, seq, value = [item for items, _ in self.sent for item in items if item[0] in (0, 1)][-1]
        assert seq == self.seq, self.sent[-1]
        return value

    def tensor(self, h: int) -> torch.Tensor:
        return self.session.handles.objects[h]

    def adopt(self, h: int, value: Any) -> Any:
        """Binds a Python object to a handle."""
        self.session.handles.objects[h] = value
        return value

    def errors(self) -> list[dict[str, Any]]:
        """All ERR so far, taken away."""
        found = [item[2] for items, _ in self.sent for item in items if item[0] == 1]
        self.sent.clear()
        return found


def cause(caught: pytest.ExceptionInfo[NodeError]) -> str:
    """The message of the exception behind a failed node."""
    return str(caught.value.__cause__)
