"""Starts a worker: `python -m feynkac_worker`, configuration on the first line of stdin (PROTOCOL.md, "Channels")."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import signal
import sys
from typing import Any

from feynkac_worker.control import Control, leave, lines
from feynkac_worker.progress import Progress

EXIT_CONFIG, EXIT_MISSING = 64, 69
_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    # Linux only; everywhere else end-of-file on stdin does it, once the worker is not stuck in C.
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _fail(code: int, message: str) -> None:
    os.write(2, f"feynkac: {message}\n".encode())
    leave(code)


def _config(line: bytes | None) -> dict[str, Any]:
    config: Any = None
    with contextlib.suppress(ValueError):
        config = json.loads(line or b"")
    if not isinstance(config, dict) or not all(isinstance(config.get(key), str) for key in ("endpoint", "token")):
        _fail(EXIT_CONFIG, "Expected the first line of stdin to be the worker's configuration as JSON")
    if type(config.get("threads", 1)) is not int or config.get("threads", 1) < 1:
        _fail(EXIT_CONFIG, f"Expected `threads` to be a positive integer, got `{config['threads']}`")
    return dict(config)


def _import(names: tuple[str, ...]) -> None:
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            _fail(EXIT_MISSING, f"Expected the Python package `{error.name}` in {sys.executable}, found none")
        except Exception as error:
            _fail(EXIT_MISSING, f"Expected the Python package `{name}` to load in {sys.executable}, got {error!r}")


def main() -> None:
    """Never returns. Exit codes: 0, 64 (configuration), 69 (a package is missing), 70 (CUDA broken), 78 (refused)."""
    _die_with_parent()
    # Ctrl-C is for the client, which cancels; the whole foreground group gets the signal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source = lines(0)
    config = _config(next(source, None))
    answers = os.dup(1)
    os.dup2(2, 1)
    progress = Progress()
    Control(source, answers, progress).start()
    threads = config.get("threads", 1)
    # Before torch is loaded: OpenMP and MKL read them once.
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    _import(("numpy", "msgpack", "zmq", "torch"))
    import torch

    from feynkac_worker import server
    from feynkac_worker.errors import ServiceError

    torch.set_num_threads(threads)
    try:
        leave(server.serve(config, progress))
    except ServiceError as error:
        _fail(EXIT_CONFIG, str(error))


if __name__ == "__main__":
    main()
