"""Starts a worker: `python -m feynkac_worker`, configuration on the first line of stdin (PROTOCOL.md, "Channels").

With arguments it is one that listens for clients (PROTOCOL.md, "Attach").
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
from typing import Any

from feynkac_worker.control import Control, lines
from feynkac_worker.progress import Progress
from feynkac_worker.start import EXIT_MISSING, checked, fail, work

_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    # Linux only; everywhere else end-of-file on stdin does it, once the worker is not stuck in C.
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _parsed(line: bytes | None) -> Any:
    with contextlib.suppress(ValueError):
        return json.loads(line or b"")
    return None


def _attach(arguments: list[str]) -> int:
    # Set by `feynkac worker`, which waits in the foreground; started by hand, nobody waits.
    if os.environ.pop("FEYNKAC_TIED", None) == "1":
        _die_with_parent()
    try:
        from feynkac_worker.attach.command import main as command
    except ModuleNotFoundError as error:
        fail(EXIT_MISSING, f"Expected the Python package `{error.name}` in {sys.executable}, found none")
    return command(arguments)


def main() -> None:
    """Never returns. Exit codes: 0, 64 (configuration), 69 (a package is missing), 70 (CUDA broken), 78 (refused)."""
    if len(sys.argv) > 1:
        sys.exit(_attach(sys.argv[1:]))
    _die_with_parent()
    # Ctrl-C is for the client, which cancels; the whole foreground group gets the signal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source = lines(0)
    config = checked(_parsed(next(source, None)))
    answers = os.dup(1)
    os.dup2(2, 1)
    progress = Progress()
    Control(source, answers, progress).start()
    work(config, progress)


if __name__ == "__main__":
    main()
