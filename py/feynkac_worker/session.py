"""The state of one session, and how answers, errors and cancellations leave it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from feynkac_worker.bound import Bound, Plan
from feynkac_worker.errors import RootError
from feynkac_worker.executor import Runtime
from feynkac_worker.program import Program
from feynkac_worker.progress import Progress
from feynkac_worker.services import Context

OK, ERR, ACK = 0, 1, 2
Send = Callable[[list[Any], list[bytes]], None]


class RefusedError(Exception):
    """The peer does not speak this protocol or has another token: the worker exits with 78."""


class StickyError(Exception):
    """CUDA cannot be used any more in this process: the worker exits with 70."""


class Session:
    """Handles, plans, bindings, and the position in the sequence of commands. `send` takes items and payloads."""

    def __init__(self, context: Context, progress: Progress, send: Send, log: Callable[[str], None]) -> None:
        self.context, self.progress, self.send = context, progress, send
        self.handles = context.handles
        # The inner loop of the worker reads these.
        self.objects, self.poison, self.limit = self.handles.objects, self.handles.poison, self.handles.limit
        self.runtime = Runtime(context.device, self.cancelled, log)
        progress.runtime = self.runtime
        limits = context.config.get("limits", {})
        self.plan_nodes = int(limits.get("planNodes", 100_000))
        self.tensor_bytes = int(limits.get("tensorBytes", 2**40))
        self.message_bytes = int(limits.get("messageBytes", 2**40))
        self.programs: dict[str, Program] = {}
        self.plans: dict[int, Plan] = {}
        self.bounds: dict[int, Bound] = {}
        # Plans and bindings that failed.
        self.lost_plans: dict[int, RootError] = {}
        self.lost_bounds: dict[int, RootError] = {}
        self.seq = 0
        self.greeted = False
        self.closing = False
        # Set by whoever meets an error that CUDA will not recover from.
        self.sticky = False
        self._cancel_reported = 0

    def answer(self, seq: int, value: Any, payloads: list[bytes] | None = None) -> None:
        """OK to command `seq`."""
        self.send([[OK, seq, value], [ACK, seq]], payloads or [])

    def error(self, seq: int, root: RootError) -> None:
        """ERR to command `seq`. Raises StickyError when nothing more can be done."""
        self.send([[ERR, seq, root.wire()], [ACK, seq]], [])
        if self.sticky:
            raise StickyError(root.message)

    def cancelled(self) -> bool:
        """Whether the client cancelled the command that runs."""
        return self.seq <= self.progress.cancelled

    def cancel(self, seq: int, waiting: bool) -> RootError:
        """The error of a cancelled command. One ERR for the whole range, and one for each command that waits."""
        root = RootError("CancelledError", "The client cancelled the command", seq)
        first = self._cancel_reported < seq
        self._cancel_reported = max(self._cancel_reported, self.progress.cancelled)
        if first or waiting:
            self.error(seq, root)
        return root
