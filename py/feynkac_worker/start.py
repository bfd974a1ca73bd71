"""What every way of starting a worker does: check the configuration, load torch, obey, and end the process."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, NoReturn

from feynkac_worker.control import leave
from feynkac_worker.progress import Progress

EXIT_CONFIG, EXIT_MISSING = 64, 69


def fail(code: int, message: str) -> NoReturn:
    """Ends the process with one sentence in the log."""
    os.write(2, f"feynkac: {message}\n".encode())
    leave(code)


def checked(config: Any) -> dict[str, Any]:
    """The worker's configuration; ends the process when it is none."""
    if not isinstance(config, dict) or not all(isinstance(config.get(key), str) for key in ("endpoint", "token")):
        fail(EXIT_CONFIG, "Expected the first line of stdin to be the worker's configuration as JSON")
    if type(config.get("threads", 1)) is not int or config.get("threads", 1) < 1:
        fail(EXIT_CONFIG, f"Expected `threads` to be a positive integer, got `{config['threads']}`")
    return dict(config)


def work(config: dict[str, Any], progress: Progress) -> NoReturn:
    """Serves on the thread that calls it, and ends the process."""
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
        fail(EXIT_CONFIG, str(error))


def _import(names: tuple[str, ...]) -> None:
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            fail(EXIT_MISSING, f"Expected the Python package `{error.name}` in {sys.executable}, found none")
        except Exception as error:
            fail(EXIT_MISSING, f"Expected the Python package `{name}` to load in {sys.executable}, got {error!r}")
