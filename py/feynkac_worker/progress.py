"""What the control thread and the main thread tell each other. Plain attributes: reads and writes of one are atomic."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feynkac_worker.executor import Runtime


class Progress:
    """`seq` is the running command (None when idle), `since` its start, `cancelled` the last one to be cancelled."""

    __slots__ = ("cancelled", "runtime", "seq", "since")

    def __init__(self) -> None:
        self.seq: int | None = None
        self.since = time.monotonic()
        self.cancelled = 0
        self.runtime: Runtime | None = None

    def report(self) -> dict[str, Any]:
        """The running command as PING answers it."""
        seq, runtime = self.seq, self.runtime
        node = runtime.node if runtime is not None and seq is not None else None
        since = round((time.monotonic() - self.since) * 1000) if seq is not None else 0
        return {"running": seq, "op": node.op.name if node is not None else None, "sinceMs": since}
