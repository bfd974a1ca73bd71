"""Errors that cross the wire: classes, wire form, tracebacks without our frames (PROTOCOL.md, `error`)."""

from __future__ import annotations

import gc
import sys
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feynkac_worker.ir import Node

# Only the worker's core is hidden from tracebacks; models/, data/ and foreign modules are what the reader looks for.
_CORE = Path(__file__).resolve().parent
_TRACEBACK_LIMIT = 16_000


class FeynkacError(Exception):
    """Base of the errors that name their own class on the wire."""


class ServiceError(FeynkacError):
    """A CALL that a user can cause to fail; the message is one full sentence, fit for the end user."""


class PlanError(FeynkacError):
    """A plan that does not follow PROTOCOL.md, or was run with arguments of the wrong kind."""

    def __init__(self, message: str, op: str | None = None, node: int | None = None, loc: str | None = None) -> None:
        super().__init__(message)
        self.op, self.node, self.loc = op, node, loc


class ProtocolError(FeynkacError):
    """A frame or a command that does not follow PROTOCOL.md."""


class CancelledError(FeynkacError):
    """The client cancelled the command before it ended."""


class NonFiniteError(FeynkacError):
    """A `check_finite` node met NaN or an infinity."""


class NodeError(Exception):
    """Wraps (as its cause) the exception of one plan node, with the node and its inputs in words."""

    def __init__(self, node: Node, inputs: list[str]) -> None:
        super().__init__(node.op.name)
        self.node, self.inputs = node, inputs


@dataclass(frozen=True)
class RootError:
    """The first error of a chain; poisoned handles are bound to it. Strings only: an exception would pin tensors."""

    kind: str
    message: str
    root_seq: int
    plan: str | None = None
    op: str | None = None
    node: int | None = None
    loc: str | None = None
    inputs: tuple[str, ...] = ()
    traceback: str = ""

    def at(self, seq: int) -> RootError:
        """The same error as the root of command `seq`."""
        return replace(self, root_seq=seq)

    def wire(self) -> dict[str, Any]:
        """The `error` map of PROTOCOL.md."""
        return {
            "class": self.kind,
            "message": well_formed(self.message),
            "rootSeq": self.root_seq,
            "plan": self.plan,
            "op": self.op,
            "node": self.node,
            "loc": self.loc,
            "inputs": list(self.inputs),
            "traceback": well_formed(self.traceback),
        }


def well_formed(text: str) -> str:
    """Text that UTF-8 can carry: lone surrogates (undecodable file names) become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed. CPU allocators raise a bare RuntimeError, CUDA its own class."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and ("can't allocate memory" in text or "not enough memory" in text)


def is_sticky(error: BaseException) -> bool:
    """Whether the error has ruined the CUDA context, so that every later call of the process would fail."""
    if isinstance(error, FeynkacError) or is_out_of_memory(error):
        return False
    return type(error).__name__ == "AcceleratorError" or "CUDA error:" in str(error)


def kind_of(error: BaseException, default: str) -> str:
    """The wire class of an exception; `default` for those of torch and Python."""
    if is_out_of_memory(error):
        return "OutOfMemoryError"
    return type(error).__name__ if isinstance(error, FeynkacError) else default


def message_of(error: BaseException) -> str:
    """The exception's text, never empty; Python's own errors keep their class name: `'x'` alone says nothing."""
    text = str(error).strip()
    if isinstance(error, (FeynkacError, RuntimeError)) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def frames_of(error: BaseException) -> str:
    """The traceback without the worker's own frames; empty when nothing else took part."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).parent != _CORE]
    if not frames:
        return ""
    text = "".join(traceback.format_list(frames)) + "".join(traceback.format_exception_only(error))
    return text if len(text) <= _TRACEBACK_LIMIT else "...\n" + text[-_TRACEBACK_LIMIT:]


def root_of(error: BaseException, seq: int, default: str, plan: str | None = None) -> RootError:
    """The root error of command `seq` from any exception but NodeError."""
    place = (error.op, error.node, error.loc) if isinstance(error, PlanError) else (None, None, None)
    frames = "" if isinstance(error, FeynkacError) else frames_of(error)
    return RootError(kind_of(error, default), message_of(error), seq, plan, *place, traceback=frames)


def release_memory(error: BaseException) -> None:
    """Gives unused memory back after an allocation failed; a traceback would pin the tensors of the failed run."""
    if is_out_of_memory(error):
        error.__traceback__ = error.__cause__ = error.__context__ = None
        gc.collect()
        # This module is imported before torch is known to exist.
        if "torch" in sys.modules and sys.modules["torch"].cuda.is_available():
            sys.modules["torch"].cuda.empty_cache()
