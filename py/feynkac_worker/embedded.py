"""The worker inside a Python process of somebody else: pythonia's, whose main thread answers calls from JavaScript.

The server runs on a thread of its own, control and log over sockets of their own, so a busy main thread delays neither.
Everything that goes up or down is a string (`plain`): pythonia would end Node on a NaN.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from feynkac_worker.control import Control, leave, lines
from feynkac_worker.progress import Progress
from feynkac_worker.start import checked, work

_numbers = itertools.count(1)
_config: dict[str, Any] = {}


def start(config: str, path: str) -> str:
    """Starts control, log and server; `path` is where the client listens for the first two, in this order."""
    # Ctrl-C is for the client, which cancels.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control, log = _connect(path), _connect(path)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    _config.update(checked(json.loads(config)))
    progress = Progress()
    Control(lines(control), control, progress).start()
    threading.Thread(target=_serve, args=(progress,), name="worker", daemon=True).start()
    return "started"


def run_function(request: str) -> str:
    """Calls `source:name` with `args` and `options`: its plain value."""
    return _answered(request, lambda made: made)


def make_object(request: str) -> str:
    """Calls `source:name` and keeps what it gives: its number and class."""
    return _answered(request, _keep)


def drop_object(request: str) -> str:
    """Forgets a kept object; what adopted it keeps it alive."""
    from feynkac_worker.adoption import OBJECTS

    return json.dumps({"value": OBJECTS.pop(json.loads(request), None) is not None})


def _connect(path: str) -> int:
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    end.connect(path)
    return end.detach()


def _serve(progress: Progress) -> None:
    try:
        work(_config, progress)
    except BaseException:
        # A dead server in a living process would leave the client waiting.
        traceback.print_exc()
        leave(1)


def _keep(made: Any) -> dict[str, Any]:
    from feynkac_worker.adoption import OBJECTS

    number = next(_numbers)
    OBJECTS[number] = made
    return {"object": number, "class": type(made).__name__}


def _answered(request: str, use: Callable[[Any], Any]) -> str:
    from feynkac_worker import adoption, plain
    from feynkac_worker.errors import ServiceError

    try:
        adoption.allowed(_config)
        asked = plain.decode(request)
        source, name = asked["source"], asked["name"]
        args = [_object(value) for value in asked["args"]]
        found = adoption.find(source, name)
        made = adoption.invoke(adoption.spec_of(source, name), found, args, asked["options"])
        return f'{{"value": {plain.encode(use(made))}}}'
    except ServiceError as error:
        return json.dumps({"error": str(error)})


def _object(value: Any) -> Any:
    # A kept object as an argument.
    from feynkac_worker.adoption import OBJECTS
    from feynkac_worker.errors import ServiceError

    if isinstance(value, dict) and set(value) == {"$object"}:
        if value["$object"] not in OBJECTS:
            raise ServiceError("Expected an object that is still kept, got one that was dropped")
        return OBJECTS[value["$object"]]
    return value
