"""The worker's main loop: one DEALER socket, one message at a time, on the main thread (where torch wants to be)."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Mapping
from typing import Any

import torch
import zmq

from feynkac_worker import codec
from feynkac_worker.errors import ProtocolError, RootError, ServiceError
from feynkac_worker.handles import Handles
from feynkac_worker.progress import Progress
from feynkac_worker.services import Context
from feynkac_worker.session import RefusedError, Session, StickyError
from feynkac_worker.worker import handle, refuse

EXIT_OK, EXIT_CONFIG, EXIT_STICKY, EXIT_REFUSED = 0, 64, 70, 78
# Copying a small frame is cheaper than sharing it.
_SHARED = 65_536


def log(text: str) -> None:
    """One line of log."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def choose_device(name: str) -> torch.device:
    """The device called `name`, `auto` being the first CUDA device if there is one. Raises ServiceError."""
    available = torch.cuda.is_available()
    if name == "auto":
        name = "cuda" if available else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ServiceError(f"Expected `device` to be auto, cpu or cuda, got `{name[:60]}`") from None
    if device.type not in ("cpu", "cuda"):
        raise ServiceError(f"Expected `device` to be auto, cpu or cuda, got `{name[:60]}`")
    if device.type == "cuda" and not available:
        raise ServiceError(
            f"Expected `device` to be auto or cpu, since torch {torch.__version__} finds no CUDA device, got `{name}`"
        )
    return torch.device("cuda", device.index or 0) if device.type == "cuda" else device


def load_services(faults: bool) -> None:
    """Registers all services."""
    for name in (
        "adoption",
        "checkpoints.services",
        "data.services",
        "tracing.services",
        "latency",
        "onnx_export",
        *(["faults"] if faults else []),
    ):
        importlib.import_module(f"feynkac_worker.{name}")


def serve(config: Mapping[str, Any], progress: Progress) -> int:
    """Connects to `config["endpoint"]` and obeys until BYE. Gives the exit code."""
    torch.set_grad_enabled(False)
    load_services(config.get("faults") is True)
    limits = config.get("limits", {})
    device = choose_device(str(config.get("device", "auto")))
    context = Context(device, Handles(int(limits.get("handles", 1 << 20))), torch.get_num_threads(), config)
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
    socket.setsockopt(zmq.IDENTITY, str(config["token"]).encode())
    socket.setsockopt(zmq.SNDHWM, 0)
    socket.setsockopt(zmq.RCVHWM, 0)
    socket.setsockopt(zmq.LINGER, 2_000)
    socket.connect(config["endpoint"])

    def send(items: list[Any], payloads: list[bytes]) -> None:
        header = items[0] if isinstance(items[0], bytes) else codec.encode_header(items)
        if not payloads:
            socket.send(header)
            return
        socket.send(header, zmq.SNDMORE)
        for i, content in enumerate(payloads):
            more = zmq.SNDMORE if i + 1 < len(payloads) else 0
            socket.send(content, more, copy=len(content) < _SHARED)

    # What lives now lives for good: the collector need not look at torch's modules again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    code = _obey(socket, Session(context, progress, send, log), int(limits.get("messageBytes", 2**40)))
    socket.close()
    zmq.Context.instance().term()
    return code


def _obey(socket: zmq.Socket[bytes], session: Session, limit: int) -> int:
    while not session.closing:
        frame = socket.recv(copy=False)
        size, more = len(frame), frame.more
        payloads = []
        while more:
            content = socket.recv(copy=False)
            payloads.append(content.buffer)
            size, more = size + len(content), content.more
        try:
            if size > limit:
                refuse(session, ProtocolError(f"Expected a message of at most {limit} bytes, got {size}"))
            else:
                handle(session, frame.buffer, payloads)
        except RefusedError as error:
            log(f"feynkac: {error}")
            session.error(session.seq, RootError("ProtocolError", str(error), session.seq))
            return EXIT_REFUSED
        except StickyError as error:
            log(f"feynkac: CUDA cannot go on in this process: {error}")
            return EXIT_STICKY
    return EXIT_OK
