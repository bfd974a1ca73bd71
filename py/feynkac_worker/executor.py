"""Tier 0: replays a plan as a list of bound calls, about three microseconds a node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from feynkac_worker.errors import CancelledError, NodeError
from feynkac_worker.ir import Decoded, Node, ids
from feynkac_worker.tensors import describe, summary

Values = list[Any]
Call = Callable[[Values], Any]
# What runs, the value it makes, the values that nothing reads afterwards, and the node that it stands for.
Step = tuple[Call, int, tuple[int, ...], Node]

set_grad: Callable[[bool], None] = torch._C._set_grad_enabled


class Runtime:
    """What a running plan shares with the server: device, progress, cancellation, log."""

    __slots__ = ("cancelled", "debug", "device", "log", "node", "plan")

    def __init__(
        self,
        device: torch.device | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        log: Callable[[str], None] = print,
    ) -> None:
        self.device = device or torch.device("cpu")
        self.cancelled = cancelled
        self.log = log
        self.debug = False
        self.node: Node | None = None
        self.plan: Decoded | None = None

    def loc(self, node: Node) -> str:
        """Where the node was traced, for the log."""
        return (self.plan.loc(node.number) if self.plan is not None else None) or "?"


class Block:
    """A level that is ready to run. `execute` takes the list of its inputs, and leaves gradient mode off."""

    __slots__ = ("numbers", "outputs", "room", "runtime", "steps")

    def __init__(
        self, runtime: Runtime, first: int, steps: list[Step], outputs: tuple[int, ...], numbers: tuple[int, ...]
    ) -> None:
        self.runtime, self.outputs = runtime, outputs
        # Outputs that are runtime scalars: what leaves a level is a tensor.
        self.numbers = numbers
        self.steps = tuple(steps)
        # One place a node; where steps switch gradient mode, a last one for the nothing that they give.
        self.room: Values = [None] * (1 + max((step[1] for step in steps), default=first - 1) - first)

    def execute(self, values: Values) -> list[Any]:
        """The outputs. `values` has the inputs and `room`, and is used up. Raises NodeError, or CancelledError."""
        runtime = self.runtime
        if runtime.debug:
            self._execute_loudly(values)
            return self._results(values)
        node: Node | None = None
        try:
            for call, out, drops, node in self.steps:
                runtime.node = node
                values[out] = call(values)
                for dead in drops:
                    values[dead] = None
        except (NodeError, CancelledError):
            raise
        except Exception as error:
            raise failure(node, values) from error
        if self.numbers:
            return self._results(values)
        # Not a comprehension, which is a call and costs more than one output.
        results = []
        for i in self.outputs:
            results.append(values[i])
        return results

    def _results(self, values: Values) -> list[Any]:
        results = [values[i] for i in self.outputs]
        for i in self.numbers:
            results[i] = as_tensor(results[i], self.runtime.device)
        return results

    def _execute_loudly(self, values: Values) -> None:
        runtime = self.runtime
        for call, out, drops, node in self.steps:
            runtime.node = node
            try:
                values[out] = result = call(values)
            except (NodeError, CancelledError):
                raise
            except Exception as error:
                raise failure(node, values) from error
            if result is not None:
                items = result if isinstance(result, (list, tuple)) else [result]
                for item in items:
                    runtime.log(f"{runtime.loc(node)}  {node.op.name} -> {summary(item)}")
            for dead in drops:
                values[dead] = None


def failure(node: Node | None, values: Values) -> NodeError:
    """The error of a node, with its inputs in words."""
    assert node is not None
    inputs = [describe(values[i]) for arg in node.args for i in ids(arg)]
    return NodeError(node, inputs[:32])


def as_tensor(value: Any, device: torch.device) -> Tensor:
    """A value as the wire means it: runtime numbers become 0-d float64, int64 or bool tensors."""
    if isinstance(value, Tensor):
        return value
    dtype = torch.float64 if type(value) is float else torch.bool if type(value) is bool else torch.int64
    return torch.scalar_tensor(value, dtype=dtype, device=device)
